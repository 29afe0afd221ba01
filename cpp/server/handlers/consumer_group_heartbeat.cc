#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using request_partitions = protocol::consumer_group_heartbeat_request::partitions_of_topic;
using response_partitions = protocol::consumer_group_heartbeat_response::partitions_of_topic;

// From here on members choose their ids themselves (KIP-1082).
constexpr std::int16_t version_of_own_member_ids = 1;

broker::partitions_by_topic to_partitions(const std::vector<request_partitions>& asked) {
  broker::partitions_by_topic all;
  for (const request_partitions& topic : asked) {
    all[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return all;
}

broker::consumer_heartbeat_request translate(const consumer_group_heartbeat_call& call) {
  const protocol::consumer_group_heartbeat_request& request = call->request;
  broker::consumer_heartbeat_request wanted;
  wanted.group = request.group_id;
  wanted.member = request.member_id;
  wanted.epoch = request.member_epoch;
  wanted.instance = to_text(request.instance_id);
  wanted.rack = to_text(request.rack_id);
  wanted.client_id = call->client_id();
  wanted.client_host = "/" + call->from().host;
  wanted.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.subscribed_topic_names) {
    wanted.topics.emplace(request.subscribed_topic_names->begin(),
                          request.subscribed_topic_names->end());
  }
  wanted.topic_expression = to_text(request.subscribed_topic_regex);
  wanted.assignor = to_text(request.server_assignor);
  if (request.topic_partitions) wanted.owned = to_partitions(*request.topic_partitions);
  return wanted;
}

}  // namespace

void consumer_group_heartbeat(consumer_group_heartbeat_call call) {
  protocol::consumer_group_heartbeat_response& response = call->response;
  if (call->version() >= version_of_own_member_ids && call->request.member_id.empty()) {
    response.error_code = code_of(model::kafka_error::invalid_request);
    response.error_message = "MemberId can't be empty.";
    return;
  }
  response.error_code = not_answered;
  call->core().consumer_heartbeat(translate(call), [call](const auto& answer) {
    protocol::consumer_group_heartbeat_response& target = call->response;
    target.error_code = code_of_member(answer);
    target.error_message = message_of(answer);
    if (!answer.ok()) return;
    target.member_id = answer->member;
    target.member_epoch = answer->epoch;
    target.heartbeat_interval_ms = answer->heartbeat_interval_ms;
    if (!answer->assignment) return;
    target.assignment.emplace();
    for (const auto& [topic, partitions] : *answer->assignment) {
      target.assignment->topic_partitions.push_back(
          response_partitions{topic, {partitions.begin(), partitions.end()}, {}});
    }
  });
}

}  // namespace ringlog::server::handlers
