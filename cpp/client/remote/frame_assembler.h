#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace ringlog::client::remote {

// Puts the answers of one connection together: a size as int32, then so many bytes. Believes no
// size beyond the bytes that came: memory is taken as they come.
class frame_assembler {
 public:
  explicit frame_assembler(std::int64_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  // Takes from `source` what belongs to the next frame; the frame once it is whole, else null.
  // Fails on a size that is negative or beyond the limit; nothing can be read after that.
  result<std::shared_ptr<const byte_buffer>> take(bytes_view& source);

 private:
  std::int64_t frame_bytes_max_;
  std::array<std::byte, 4> size_text_{};
  std::size_t size_bytes_ = 0;  // of size_text_ that have come
  std::size_t size_ = 0;        // once all of it has
  std::shared_ptr<byte_buffer> frame_;
};

}  // namespace ringlog::client::remote
