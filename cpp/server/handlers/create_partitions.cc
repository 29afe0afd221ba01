#include <algorithm>

#include "broker/creation_limits.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using asked_topic = protocol::create_partitions_request::topic;
using replicas = std::vector<std::int32_t>;

// Where new partitions are to lie is not for clients to choose, but what they ask for has to be
// possible (Kafka: ReplicationControlManager.validateManualPartitionAssignment).
std::optional<error> fault_of(replicas wanted, const std::vector<shown_broker>& brokers) {
  const auto fault = [](std::string what) {
    return error{error_code::invalid_replica_assignment,
                 "The manual partition assignment includes " + std::move(what)};
  };
  if (wanted.empty()) return fault("an empty replica list.");
  std::ranges::sort(wanted);
  for (const std::int32_t one : wanted) {
    if (std::ranges::count(brokers, one, &shown_broker::id) > 0) continue;
    return fault(fmt::format("broker {}, but no such broker is registered.", one));
  }
  const auto twice = std::ranges::adjacent_find(wanted);
  if (twice == wanted.end()) return std::nullopt;
  return fault(fmt::format("the broker {} more than once.", *twice));
}

std::optional<error> fault_of(const create_partitions_call& call, const asked_topic& asked,
                              std::int64_t additional) {
  if (!asked.assignments || additional <= 0) return std::nullopt;
  const auto given = static_cast<std::int64_t>(asked.assignments->size());
  if (given != additional) {
    return make_error(error_code::invalid_replica_assignment,
                      "Attempted to add {} additional partition(s), but only {} assignment(s) were "
                      "specified.",
                      additional, given);
  }
  const auto brokers = brokers_of(*call);
  for (const auto& one : *asked.assignments) {
    if (auto fault = fault_of(one.broker_ids, brokers)) return fault;
  }
  return std::nullopt;
}

}  // namespace

// Topics grow as long as all that were asked for before them leave room.
void create_partitions(create_partitions_call call) {
  broker::creation_total total;
  const auto named = once_by_name(call->request.topics);
  pair_up(named, call->response.results, [&](const auto& one, auto& target) {
    const asked_topic& asked = *one.first;
    target.name = asked.name;
    if (one.count > 1) return refuse(target, named_twice());
    const std::int32_t current = partition_count(call->core(), asked.name);
    const std::int64_t additional = current > 0 ? std::int64_t{asked.count} - current : 0;
    if (const auto fault = fault_of(call, asked, additional)) return refuse(target, *fault);
    broker::creation_total with_this = total;
    with_this.partitions += std::max<std::int64_t>(additional, 0);
    if (const auto excess = with_this.excess()) return refuse(target, *excess);
    total = with_this;
    target.error_code = not_answered;
    call->core().create_partitions(std::string(asked.name), asked.count,
                                   call->request.validate_only,
                                   [call, &target](const auto& grown) { tell(grown, target); });
  });
}

}  // namespace ringlog::server::handlers
