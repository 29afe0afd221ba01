#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

// Every partition is led by the one node there is, so none needs an election; of all partitions
// those that need none are not listed.
void elect_leaders(elect_leaders_call call) {
  if (!call->request.topic_partitions) return;
  pair_up(
      *call->request.topic_partitions, call->response.replica_election_results,
      [&](const auto& topic, auto& answered) {
        answered.topic = topic.topic;
        const std::int32_t count = partition_count(call->core(), topic.topic);
        pair_up(topic.partitions, answered.partition_result, [&](std::int32_t asked, auto& target) {
          target.partition_id = asked;
          const bool exists = asked >= 0 && asked < count;
          target.error_code = code_of(exists ? model::kafka_error::election_not_needed
                                             : model::kafka_error::unknown_topic_or_partition);
          target.error_message =
              exists ? "Leader election not needed for topic partition." : partition_not_here;
        });
      });
}

}  // namespace ringlog::server::handlers
