#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"
#include "model/record_batch.h"

namespace ringlog::storage {

// Reads the batches of a segment file in order through a buffer. Lives on its caller's stack, on
// one thread; the file outlives it.
class batch_scanner {
 public:
  // From the batch that starts at `position` up to `end`, a position in the file.
  batch_scanner(io::file& source, std::int64_t position, std::int64_t end)
      : source_(source), position_(position), end_(end) {}

  // The next batch, good until the next call; its checksum is not looked at. Nothing at the end,
  // and where fewer bytes are left than the batch would need: position() < end then. Failures:
  // corrupt or unsupported when no batch can start at position(), io_error.
  result<std::optional<model::batch_view>> next();

  // Of the batch that the next call reads.
  std::int64_t position() const { return position_; }

 private:
  status fill(std::int64_t bytes_min);
  bytes_view buffered() const;

  io::file& source_;
  std::int64_t position_;
  std::int64_t end_;
  byte_buffer buffer_;
  std::int64_t buffer_position_ = 0;  // of buffer_[0] in the file
  std::int64_t buffer_bytes_ = 0;
};

}  // namespace ringlog::storage
