#include <fmt/ranges.h>

#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_partition = protocol::alter_partition_reassignments_response::partition_result;
using replicas = std::optional<std::vector<std::int32_t>>;

void refuse(answered_partition& target, model::kafka_error code, std::string message) {
  target.error_code = code_of(code);
  target.error_message = std::move(message);
}

// What is there stays there, which is all that can be asked for.
void move(const replicas& wanted, const broker::partition_description* there,
          answered_partition& target) {
  if (there == nullptr) {
    refuse(target, model::kafka_error::unknown_topic_or_partition, partition_not_here);
  } else if (!wanted) {
    refuse(target, model::kafka_error::no_reassignment_in_progress,
           "No partition reassignment is in progress.");
  } else if (*wanted != numbers_of(there->replicas)) {
    refuse(target, model::kafka_error::invalid_replica_assignment,
           fmt::format("the replicas of a partition stay where they are: {}",
                       fmt::join(numbers_of(there->replicas), ",")));
  }
}

}  // namespace

void alter_partition_reassignments(alter_partition_reassignments_call call) {
  call->response.allow_replication_factor_change = call->request.allow_replication_factor_change;
  call->response.error_message.reset();
  pair_up(call->request.topics, call->response.responses, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    const auto found = call->core().find_topic(topic.name);
    const auto count = found ? static_cast<std::int32_t>(found->partitions.size()) : 0;
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      target.error_message.reset();
      const bool exists = asked.partition_index >= 0 && asked.partition_index < count;
      const auto place = static_cast<std::size_t>(asked.partition_index);
      move(asked.replicas, exists ? &found->partitions[place] : nullptr, target);
    });
  });
}

}  // namespace ringlog::server::handlers
