#include "broker/group/group_offsets.h"

#include <algorithm>
#include <set>

namespace ringlog::broker {

const stored_offset* group_offsets::find(const topic_partition& tp) const {
  const auto found = committed_.find(tp);
  return found == committed_.end() ? nullptr : &found->second;
}

bool group_offsets::has_pending(const topic_partition& tp) const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [&](const auto& entry) { return entry.second.contains(tp); });
}

void group_offsets::put(const topic_partition& tp, stored_offset offset) {
  committed_[tp] = std::move(offset);
}

void group_offsets::put_pending(producer_id_t producer, const topic_partition& tp,
                                stored_offset offset) {
  pending_[producer][tp] = std::move(offset);
}

void group_offsets::remove(const topic_partition& tp) {
  committed_.erase(tp);
  for (auto& [producer, offsets] : pending_) offsets.erase(tp);
}

void group_offsets::end_transaction(producer_id_t producer, bool committed) {
  auto ended = pending_.extract(producer);
  if (ended.empty() || !committed) return;
  for (auto& [tp, offset] : ended.mapped()) {
    const stored_offset* current = find(tp);
    if (current == nullptr || current->record_offset < offset.record_offset) {
      put(tp, std::move(offset));
    }
  }
}

std::vector<topic_partition> group_offsets::partitions() const {
  std::set<topic_partition> all;
  for (const auto& [tp, offset] : committed_) all.insert(tp);
  for (const auto& [producer, offsets] : pending_) {
    for (const auto& [tp, offset] : offsets) all.insert(tp);
  }
  return {all.begin(), all.end()};
}

}  // namespace ringlog::broker
