#pragma once

#include <cstdint>
#include <limits>

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

  // How long members of groups that this broker keeps without serving them (KIP-848, share,
  // streams) count as alive after loading: group.consumer.session.timeout.ms.
  std::int64_t kept_member_session_ms = 45'000;
};

}  // namespace ringlog::broker
