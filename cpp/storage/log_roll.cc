#include "storage/log_roll.h"

#include "storage/producer_snapshot.h"

namespace ringlog::storage {

namespace {

// Spread over the partitions, the same at each start.
std::int64_t roll_jitter_ms(const log_state& log, offset_t base) {
  if (log.config->segment_jitter_ms <= 0) return 0;
  const std::size_t hash = hash_value(log.name) * 31 + hash_value(base);
  return static_cast<std::int64_t>(hash % static_cast<std::size_t>(log.config->segment_jitter_ms));
}

}  // namespace

void roll(log_state& log, offset_t base, std::int64_t now_ms) {
  log.active().complete_time_index();
  log.active().end = base;
  log.sealed.push_back(
      {log.segments.back(), base, encode_producer_snapshot(log.producers.sorted())});
  auto next = std::make_shared<segment>(log.directory, base, now_ms);
  next->indexes = std::make_shared<segment_indexes>(base);
  next->roll_jitter_ms = roll_jitter_ms(log, base);
  log.segments.push_back(std::move(next));
}

}  // namespace ringlog::storage
