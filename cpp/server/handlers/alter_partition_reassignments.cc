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

// The one node has every partition, so that it stays there is all that can be asked for.
void move(const replicas& wanted, bool exists, std::int32_t node, answered_partition& target) {
  if (!exists) {
    refuse(target, model::kafka_error::unknown_topic_or_partition, partition_not_here);
  } else if (!wanted) {
    refuse(target, model::kafka_error::no_reassignment_in_progress,
           "No partition reassignment is in progress.");
  } else if (*wanted != std::vector{node}) {
    refuse(target, model::kafka_error::invalid_replica_assignment,
           fmt::format("the replicas of a partition must name the one broker there is: {}", node));
  }
}

}  // namespace

void alter_partition_reassignments(alter_partition_reassignments_call call) {
  call->response.allow_replication_factor_change = call->request.allow_replication_factor_change;
  call->response.error_message.reset();
  const std::int32_t node = call->core().describe_cluster().node.value();
  pair_up(call->request.topics, call->response.responses, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    const std::int32_t count = partition_count(call->core(), topic.name);
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      target.error_message.reset();
      const bool exists = asked.partition_index >= 0 && asked.partition_index < count;
      move(asked.replicas, exists, node, target);
    });
  });
}

}  // namespace ringlog::server::handlers
