#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void offset_delete(offset_delete_call call) {
  using answered_partition = protocol::offset_delete_response::partition;
  std::vector<topic_partition> wanted;
  std::vector<answered_partition*> targets;
  call->response.error_code = not_answered;
  pair_up(call->request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      wanted.push_back(make_partition(topic.name, asked.partition_index));
      targets.push_back(&target);
    });
  });
  call->core().delete_offsets(std::string(call->request.group_id), std::move(wanted),
                              [call, targets = std::move(targets)](const auto& outcome) {
                                call->response.error_code = code_of(outcome);
                                if (!outcome.ok()) {
                                  call->response.topics.clear();
                                  return;
                                }
                                for (std::size_t i = 0; i < targets.size(); ++i) {
                                  targets[i]->error_code = code_of((*outcome)[i].second);
                                }
                              });
}

}  // namespace ringlog::server::handlers
