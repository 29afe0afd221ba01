#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "server/request_memory.h"

namespace ringlog::server {

// A request as it came, without its length, and the memory that it takes.
struct frame {
  byte_buffer bytes;
  request_memory::share memory;
};

// Puts the frames of one connection together: a size as int32, then so many bytes. Believes no size
// beyond the bytes that came: memory is taken as they come.
class frame_reader {
 public:
  frame_reader(request_memory& memory, std::int64_t frame_bytes_max)
      : memory_(memory), frame_bytes_max_(frame_bytes_max) {}

  enum class outcome { wants_more, has_frame, wants_memory };

  // Takes from `source` what belongs to the frame. With a frame there, take_frame() comes first.
  // Fails on a size that is negative or beyond the limit; nothing can be read after that.
  result<outcome> take(bytes_view& source);

  frame take_frame();

  // Some of a frame has come, but not all.
  bool is_amid_frame() const { return size_bytes_ > 0; }

 private:
  status take_size(bytes_view& source);

  request_memory& memory_;
  const std::int64_t frame_bytes_max_;
  std::array<std::byte, 4> size_text_{};
  std::size_t size_bytes_ = 0;  // of size_text_ that have come
  std::size_t size_ = 0;        // once all of it has
  std::optional<frame> frame_;
};

}  // namespace ringlog::server
