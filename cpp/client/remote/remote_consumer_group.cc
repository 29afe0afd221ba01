// Members of consumer groups (KIP-848).

#include "client/remote/member_call.h"
#include "client/remote/remote_service.h"
#include "protocol/wire/group/consumer_group_heartbeat.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;

void fill(const broker::consumer_heartbeat_request& asked, consumer_group_heartbeat_request& out) {
  out.group_id = asked.group;
  out.member_id = asked.member;
  out.member_epoch = asked.epoch;
  out.instance_id = view_of(asked.instance);
  out.rack_id = view_of(asked.rack);
  out.rebalance_timeout_ms = asked.rebalance_timeout_ms;
  if (asked.topics) out.subscribed_topic_names.emplace(asked.topics->begin(), asked.topics->end());
  out.subscribed_topic_regex = view_of(asked.topic_expression);
  out.server_assignor = view_of(asked.assignor);
  if (!asked.owned) return;
  out.topic_partitions.emplace();
  for (const auto& [topic, partitions] : *asked.owned) {
    out.topic_partitions->push_back({topic, {partitions.begin(), partitions.end()}, {}});
  }
}

result<broker::consumer_heartbeat_answer> take(const consumer_group_heartbeat_response& from) {
  std::optional<std::string> message;
  if (from.error_message) message = *from.error_message;
  TRY(check_code(from.error_code, message));
  broker::consumer_heartbeat_answer answer;
  answer.member = from.member_id.value_or("");
  answer.epoch = from.member_epoch;
  answer.heartbeat_interval_ms = from.heartbeat_interval_ms;
  if (!from.assignment) return answer;
  answer.assignment.emplace();
  for (const auto& topic : from.assignment->topic_partitions) {
    (*answer.assignment)[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  }
  return answer;
}

}  // namespace

void remote_service::consumer_heartbeat(broker::consumer_heartbeat_request request,
                                        reply<broker::consumer_heartbeat_answer> done) {
  auto plan =
      member_plan<consumer_group_heartbeat_request, consumer_group_heartbeat_response,
                  broker::consumer_heartbeat_answer>(request.group, "ConsumerGroupHeartbeat");
  plan.is_waited_for = request.epoch < broker::joining_epoch;
  // Before version 1 there are no expressions.
  if (request.topic_expression) plan.lowest_version = 1;
  plan.fill = [request](consumer_group_heartbeat_request& out, std::int16_t) {
    fill(request, out);
  };
  plan.take = [](consumer_group_heartbeat_response& answer, const wire_answer&) {
    return take(answer);
  };
  call(std::move(plan), std::move(done));
}

}  // namespace ringlog::client::remote
