#include "storage/batch_scanner.h"

#include <algorithm>

#include "base/limits.h"

namespace ringlog::storage {

namespace {
constexpr std::int64_t chunk_bytes = 256 * limits::KiB;
}

bytes_view batch_scanner::buffered() const {
  const std::int64_t skipped = position_ - buffer_position_;
  if (skipped < 0 || skipped >= buffer_bytes_) return {};
  return bytes_view(buffer_).subspan(static_cast<std::size_t>(skipped),
                                     static_cast<std::size_t>(buffer_bytes_ - skipped));
}

status batch_scanner::fill(std::int64_t bytes_min) {
  const std::int64_t bytes = std::min(std::max(bytes_min, chunk_bytes), end_ - position_);
  if (static_cast<std::int64_t>(buffer_.size()) < bytes) {
    buffer_.resize(static_cast<std::size_t>(bytes));
  }
  const mutable_bytes target = mutable_bytes(buffer_).first(static_cast<std::size_t>(bytes));
  buffer_bytes_ = 0;
  TRY_ASSIGN(const std::size_t got, source_.read_at(static_cast<std::uint64_t>(position_), target));
  buffer_position_ = position_;
  buffer_bytes_ = static_cast<std::int64_t>(got);
  return {};
}

result<std::optional<model::batch_view>> batch_scanner::next() {
  if (buffered().size() < model::batch_prefix_bytes) TRY(fill(0));
  TRY_ASSIGN(const auto size, model::batch_size_at(buffered()));
  const std::int64_t left = end_ - position_;
  if (!size || static_cast<std::int64_t>(*size) > left) return std::optional<model::batch_view>();
  if (buffered().size() < *size) TRY(fill(static_cast<std::int64_t>(*size)));
  TRY_ASSIGN(auto batch, model::parse_batch(buffered()));
  if (batch) position_ += static_cast<std::int64_t>(*size);
  return batch;
}

}  // namespace ringlog::storage
