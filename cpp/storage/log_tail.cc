#include "storage/log_tail.h"

#include <algorithm>

#include "base/check.h"

namespace ringlog::storage {

void log_tail::append(tail_batch added) {
  if (!batches_.empty()) {
    CHECK(batches_.back().end <= added.base, "batches of a tail rise", added.base);
  }
  batches_.push_back(std::move(added));
}

std::size_t log_tail::first_from(offset_t offset) const {
  const auto found =
      std::upper_bound(batches_.begin(), batches_.end(), offset,
                       [](offset_t value, const tail_batch& batch) { return value < batch.end; });
  return static_cast<std::size_t>(found - batches_.begin());
}

std::optional<std::size_t> log_tail::find(offset_t offset) const {
  if (batches_.empty() || offset < batches_.front().base) return std::nullopt;
  const std::size_t found = first_from(offset);
  return found == batches_.size() ? std::nullopt : std::optional(found);
}

std::int64_t log_tail::drop_before(offset_t end) {
  std::int64_t bytes = 0;
  while (!batches_.empty() && batches_.front().end <= end) {
    bytes += static_cast<std::int64_t>(batches_.front().batch.bytes.size());
    batches_.pop_front();
  }
  return bytes;
}

std::int64_t log_tail::drop_after(offset_t end) {
  std::int64_t bytes = 0;
  while (!batches_.empty() && batches_.back().end > end) {
    bytes += static_cast<std::int64_t>(batches_.back().batch.bytes.size());
    batches_.pop_back();
  }
  return bytes;
}

}  // namespace ringlog::storage
