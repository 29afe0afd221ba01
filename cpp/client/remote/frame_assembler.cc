#include "client/remote/frame_assembler.h"

#include <algorithm>

#include "base/endian.h"
#include "base/limits.h"

namespace ringlog::client::remote {
namespace {

// What a frame is believed to have before its bytes come.
constexpr std::size_t first_bytes = 64 * limits::KiB;

bytes_view split_off(bytes_view& source, std::size_t size) {
  const bytes_view taken = source.first(size);
  source = source.subspan(size);
  return taken;
}

}  // namespace

result<std::shared_ptr<const byte_buffer>> frame_assembler::take(bytes_view& source) {
  if (frame_ == nullptr) {
    const std::size_t wanted = size_text_.size() - size_bytes_;
    const bytes_view taken = split_off(source, std::min(wanted, source.size()));
    std::ranges::copy(taken, size_text_.begin() + static_cast<std::ptrdiff_t>(size_bytes_));
    size_bytes_ += taken.size();
    if (size_bytes_ < size_text_.size()) return std::shared_ptr<const byte_buffer>();
    const auto size = load_be<std::int32_t>(size_text_.data());
    if (size < 4 || size > frame_bytes_max_) {
      return make_error(error_code::corrupt,
                        "an answer of {} bytes is announced, receive_message_max_bytes is {}: is "
                        "this a Kafka broker, without TLS?",
                        size, frame_bytes_max_);
    }
    size_ = static_cast<std::size_t>(size);
    frame_ = std::make_shared<byte_buffer>();
    frame_->reserve(std::min(size_, first_bytes));
  }
  const std::size_t count = std::min(size_ - frame_->size(), source.size());
  const std::size_t needed = frame_->size() + count;
  if (needed > frame_->capacity()) frame_->reserve(std::min(size_, 2 * needed));
  append(*frame_, split_off(source, count));
  if (frame_->size() < size_) return std::shared_ptr<const byte_buffer>();
  size_bytes_ = 0;
  return std::shared_ptr<const byte_buffer>(std::exchange(frame_, nullptr));
}

}  // namespace ringlog::client::remote
