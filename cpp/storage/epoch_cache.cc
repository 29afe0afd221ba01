#include "storage/epoch_cache.h"

#include <algorithm>

namespace ringlog::storage {

void epoch_cache::assign(leader_epoch_t epoch, offset_t start) {
  if (!entries_.empty() && entries_.back().epoch == epoch &&
      start >= entries_.back().start_offset) {
    return;
  }
  while (!entries_.empty() &&
         (entries_.back().epoch >= epoch || entries_.back().start_offset >= start)) {
    entries_.pop_back();
  }
  entries_.push_back({epoch, start});
  dirty_ = true;
}

leader_epoch_t epoch_cache::latest() const {
  return entries_.empty() ? no_leader_epoch : entries_.back().epoch;
}

leader_epoch_t epoch_cache::epoch_at(offset_t offset) const {
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), offset,
      [](offset_t value, const epoch_entry& entry) { return value < entry.start_offset; });
  return after == entries_.begin() ? no_leader_epoch : std::prev(after)->epoch;
}

epoch_end epoch_cache::end_offset_for(leader_epoch_t epoch, offset_t log_end) const {
  if (epoch == no_leader_epoch || entries_.empty()) return {};
  if (epoch == latest()) return {epoch, log_end};
  const auto higher = std::upper_bound(
      entries_.begin(), entries_.end(), epoch,
      [](leader_epoch_t value, const epoch_entry& entry) { return value < entry.epoch; });
  if (higher == entries_.end()) return {};  // later than any that we know
  // Earlier than any that we know: the log has nothing of it.
  if (higher == entries_.begin()) return {epoch, higher->start_offset};
  return {std::prev(higher)->epoch, higher->start_offset};
}

void epoch_cache::truncate_from_end(offset_t offset) {
  while (!entries_.empty() && entries_.back().start_offset >= offset) {
    entries_.pop_back();
    dirty_ = true;
  }
}

void epoch_cache::truncate_from_start(offset_t offset) {
  const auto after = std::upper_bound(
      entries_.begin(), entries_.end(), offset,
      [](offset_t value, const epoch_entry& entry) { return value < entry.start_offset; });
  if (after == entries_.begin()) return;
  const auto current = std::prev(after);
  if (current == entries_.begin() && current->start_offset == offset) return;
  current->start_offset = offset;
  entries_.erase(entries_.begin(), current);
  dirty_ = true;
}

}  // namespace ringlog::storage
