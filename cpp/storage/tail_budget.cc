#include "storage/tail_budget.h"

namespace ringlog::storage {

bool tail_budget::take(std::int64_t bytes) {
  const std::int64_t waiting = waiting_.fetch_add(bytes) + bytes;
  // One batch larger than the bound goes through when nothing else waits.
  if (waiting > bytes_max_ && waiting != bytes) {
    waiting_.fetch_sub(bytes);
    return false;
  }
  bytes_.fetch_add(bytes);
  return true;
}

void tail_budget::give_back(std::int64_t bytes) {
  waiting_.fetch_sub(bytes);
  bytes_.fetch_sub(bytes);
}

void tail_budget::dropped(std::int64_t bytes) { bytes_.fetch_sub(bytes); }

void tail_budget::became_stored(const std::shared_ptr<partition_log>& log, offset_t end,
                                std::int64_t bytes) {
  waiting_.fetch_sub(bytes);
  stored_.push_back({log, end});
}

bool tail_budget::next_to_drop(stored_piece& piece) {
  if (bytes_.load() <= bytes_max_ || stored_.empty()) return false;
  piece = std::move(stored_.front());
  stored_.pop_front();
  return true;
}

}  // namespace ringlog::storage
