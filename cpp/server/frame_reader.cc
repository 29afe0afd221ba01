#include "server/frame_reader.h"

#include <algorithm>
#include <utility>

#include "base/endian.h"
#include "base/limits.h"

namespace ringlog::server {
namespace {

// What a frame is believed to have before its bytes come.
constexpr std::size_t first_bytes = 64 * limits::KiB;

bytes_view split_off(bytes_view& source, std::size_t size) {
  const bytes_view taken = source.first(size);
  source = source.subspan(size);
  return taken;
}

}  // namespace

status frame_reader::take_size(bytes_view& source) {
  const std::size_t wanted = size_text_.size() - size_bytes_;
  const bytes_view taken = split_off(source, std::min(wanted, source.size()));
  std::ranges::copy(taken, size_text_.begin() + static_cast<std::ptrdiff_t>(size_bytes_));
  size_bytes_ += taken.size();
  if (size_bytes_ < size_text_.size()) return {};
  const auto size = load_be<std::int32_t>(size_text_.data());
  if (size < 0 || size > frame_bytes_max_) {
    return make_error(error_code::invalid_argument,
                      "a request of {} bytes is announced, socket.request.max.bytes is {}: is "
                      "this a client of Kafka, without TLS?",
                      size, frame_bytes_max_);
  }
  size_ = static_cast<std::size_t>(size);
  frame_.emplace(byte_buffer(), request_memory::share(memory_));
  frame_->bytes.reserve(std::min(size_, first_bytes));
  return {};
}

result<frame_reader::outcome> frame_reader::take(bytes_view& source) {
  if (!frame_) TRY(take_size(source));
  if (!frame_) return outcome::wants_more;
  byte_buffer& bytes = frame_->bytes;
  const std::size_t count = std::min(size_ - bytes.size(), source.size());
  if (count > 0) {
    if (!frame_->memory.grow(static_cast<std::int64_t>(count))) return outcome::wants_memory;
    const std::size_t needed = bytes.size() + count;
    if (needed > bytes.capacity()) bytes.reserve(std::min(size_, 2 * needed));
    append(bytes, split_off(source, count));
  }
  return bytes.size() == size_ ? outcome::has_frame : outcome::wants_more;
}

frame frame_reader::take_frame() {
  CHECK(frame_ && frame_->bytes.size() == size_, "a frame is taken before it is complete");
  frame taken = std::move(*frame_);
  frame_.reset();
  size_bytes_ = 0;
  return taken;
}

}  // namespace ringlog::server
