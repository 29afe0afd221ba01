#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void offset_for_leader_epoch(offset_for_leader_epoch_call call) {
  pair_up(call->request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.topic = topic.topic;
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition = asked.partition;
      target.error_code = not_answered;
      call->core().offset_for_leader_epoch(
          {make_partition(topic.topic, asked.partition), leader_epoch_t(asked.leader_epoch),
           leader_epoch_t(asked.current_leader_epoch)},
          [call, &target](const auto& found) {
            target.error_code = code_of(found);
            if (!found.ok()) return;
            target.leader_epoch = found->leader_epoch.value();
            target.end_offset = found->end_offset.value();
          });
    });
  });
}

}  // namespace ringlog::server::handlers
