#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace ringlog::broker {

// The broker configs that act in the group coordinator, with Kafka's names and defaults
// (GroupCoordinatorConfig). Filled from the node's settings.
struct group_settings {
  std::int64_t initial_rebalance_delay_ms = 3'000;  // group.initial.rebalance.delay.ms
  std::int64_t min_session_timeout_ms = 6'000;      // group.min.session.timeout.ms
  std::int64_t max_session_timeout_ms = 1'800'000;  // group.max.session.timeout.ms
  std::int64_t size_max = std::numeric_limits<std::int32_t>::max();  // group.max.size

  std::int64_t offset_metadata_bytes_max = 4'096;              // offset.metadata.max.bytes
  std::int64_t offsets_retention_ms = 7LL * 24 * 3600 * 1000;  // offsets.retention.minutes
  std::int64_t retention_check_interval_ms = 600'000;  // offsets.retention.check.interval.ms

  // group.consumer.*; of a group its own configs count first. Members of groups that are kept, not
  // served, count as alive for such a session after loading.
  std::int64_t consumer_session_timeout_ms = 45'000;
  std::int64_t consumer_heartbeat_interval_ms = 5'000;
  std::int64_t consumer_assignment_interval_ms = 1'000;
  std::int64_t consumer_size_max = std::numeric_limits<std::int32_t>::max();
  std::int64_t consumer_expression_refresh_ms =
      600'000;  // group.consumer.regex.refresh.interval.ms
  std::vector<std::string> consumer_assignors = {"uniform", "range"};  // the first is the default
  // group.consumer.migration.policy
  bool upgrades_groups = true;    // classic to consumer while members are there
  bool downgrades_groups = true;  // and back
};

}  // namespace ringlog::broker
