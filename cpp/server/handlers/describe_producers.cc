#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_partition = protocol::describe_producers_response::partition_response;

void fill(const describe_producers_call& call,
          const result<std::vector<broker::active_producer>>& found, answered_partition& target) {
  tell(found, target);
  if (!found.ok()) return;
  if (!call->has_room_for(found->size() * sizeof(broker::active_producer))) {
    return tell(status(no_room_to_show()), target);
  }
  for (const broker::active_producer& producer : *found) {
    target.active_producers.push_back({producer.identity.id.value(),
                                       producer.identity.epoch.value(),
                                       producer.last_sequence,
                                       producer.last_timestamp,
                                       producer.coordinator_epoch,
                                       producer.current_transaction_start.value(),
                                       {}});
  }
}

}  // namespace

void describe_producers(describe_producers_call call) {
  pair_up(call->request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    pair_up(topic.partition_indexes, answered.partitions, [&](std::int32_t asked, auto& target) {
      target.partition_index = asked;
      target.error_code = not_answered;
      call->core().describe_producers(
          make_partition(topic.name, asked),
          [call, &target](const auto& found) { fill(call, found, target); });
    });
  });
}

}  // namespace ringlog::server::handlers
