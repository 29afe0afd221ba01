#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_partition = protocol::offset_commit_response::partition;

void add(const protocol::offset_commit_request::partition& asked, const std::string& topic,
         broker::offset_commit_request& wanted) {
  wanted.offsets.emplace_back(
      make_partition(topic, asked.partition_index),
      broker::committed_offset{offset_t(asked.committed_offset),
                               leader_epoch_t(asked.committed_leader_epoch),
                               std::string(asked.committed_metadata.value_or(""))});
}

}  // namespace

void offset_commit(offset_commit_call call) {
  const protocol::offset_commit_request& request = call->request;
  broker::offset_commit_request wanted;
  wanted.from = {std::string(request.group_id), request.generation_id_or_member_epoch,
                 std::string(request.member_id), to_text(request.group_instance_id)};
  wanted.retention_ms = request.retention_time_ms;
  wanted.knows_member_epochs = call->version() >= 9;
  std::vector<answered_partition*> targets;
  pair_up(request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    const auto name = topic_name_of(call->core(), topic.name, topic.topic_id);
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      target.error_code = name ? not_answered : code_of(model::kafka_error::unknown_topic_id);
      if (!name) return;
      add(asked, *name, wanted);
      targets.push_back(&target);
    });
  });
  if (targets.empty() && !request.topics.empty()) return;
  call->core().commit_offsets(
      std::move(wanted), [call, targets = std::move(targets)](const auto& outcome) {
        for (std::size_t i = 0; i < targets.size(); ++i) {
          targets[i]->error_code =
              outcome.ok() ? code_of((*outcome)[i].second) : code_of_offsets(outcome);
        }
      });
}

}  // namespace ringlog::server::handlers
