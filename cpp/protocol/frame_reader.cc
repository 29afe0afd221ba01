#include "protocol/frame_reader.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "base/limits.h"

namespace ringlog::protocol {
namespace {

// What a frame is believed to have before its bytes come.
constexpr std::size_t first_bytes = 64 * limits::KiB;

bytes_view split_off(bytes_view& source, std::size_t size) {
  const bytes_view taken = source.first(size);
  source = source.subspan(size);
  return taken;
}

}  // namespace

frame_reader::frame_reader(std::int64_t size_min, std::int64_t size_max, memory_grant grant)
    : size_min_(size_min), size_max_(size_max), grant_(std::move(grant)) {}

frame_reader::outcome frame_reader::take(bytes_view& source) {
  if (size_bytes_ < size_text_.size()) {
    const std::size_t wanted = size_text_.size() - size_bytes_;
    const bytes_view taken = split_off(source, std::min(wanted, source.size()));
    std::ranges::copy(taken, size_text_.begin() + static_cast<std::ptrdiff_t>(size_bytes_));
    size_bytes_ += taken.size();
    if (size_bytes_ < size_text_.size()) return outcome::wants_more;
    size_ = load_be<std::int32_t>(size_text_.data());
  }
  if (size_ < size_min_ || size_ > size_max_) return outcome::has_bad_size;
  const auto size = static_cast<std::size_t>(size_);
  const std::size_t count = std::min(size - frame_.size(), source.size());
  if (count > 0) {
    if (!grant_(count)) return outcome::wants_memory;
    const std::size_t needed = frame_.size() + count;
    if (needed > frame_.capacity())
      frame_.reserve(std::min(size, std::max(first_bytes, 2 * needed)));
    append(frame_, split_off(source, count));
  }
  return frame_.size() == size ? outcome::has_frame : outcome::wants_more;
}

byte_buffer frame_reader::take_frame() {
  CHECK(size_bytes_ == size_text_.size() && std::cmp_equal(frame_.size(), size_),
        "a frame is taken before it is complete");
  size_bytes_ = 0;
  return std::exchange(frame_, {});
}

}  // namespace ringlog::protocol
