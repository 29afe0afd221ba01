#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "base/bytes.h"

namespace ringlog::protocol {

// Puts the frames of one connection together: a size as int32, then so many bytes. Believes no size
// beyond the bytes that came: memory is taken as they come.
//
// Owned by its connection, used on that one's thread.
class frame_reader {
 public:
  enum class outcome : std::uint8_t { wants_more, wants_memory, has_frame, has_bad_size };

  // Asked before so many bytes are kept; false: not now.
  using memory_grant = std::function<bool(std::size_t)>;

  frame_reader(
      std::int64_t size_min, std::int64_t size_max,
      memory_grant grant = [](std::size_t) { return true; });

  // Takes from `source` what belongs to the frame. With a frame there, take_frame() comes first.
  // After a bad size, one out of the limits, nothing can be read any more.
  outcome take(bytes_view& source);

  byte_buffer take_frame();

  // Some of a frame has come, but not all.
  bool is_amid_frame() const { return size_bytes_ > 0; }

  // Of the frame that is read, once its size has come.
  std::int64_t announced_size() const { return size_; }

 private:
  std::int64_t size_min_;
  std::int64_t size_max_;
  memory_grant grant_;
  std::array<std::byte, 4> size_text_{};
  std::size_t size_bytes_ = 0;  // of size_text_ that have come
  std::int64_t size_ = 0;       // once all of it has
  byte_buffer frame_;
};

}  // namespace ringlog::protocol
