#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/types.h"

namespace ringlog::storage {

struct offset_position {
  offset_t offset{no_offset};
  file_position_t position{0};
  bool operator==(const offset_position&) const = default;
};

// A segment's offset index in memory (Kafka: OffsetIndex): where a few of its batches lie, so that
// an offset is found by a search here and a short scan. Owned by its segment, used under the log's
// mutex, or shared unchanging.
//
// On disk (`.index`), big-endian: { relative_offset i32 | position i32 }, both rising; the offset
// is the last one of the batch at that position, relative to the segment's base.
class offset_index {
 public:
  static constexpr std::size_t entry_bytes = 8;

  explicit offset_index(offset_t base) : base_(base) {}

  // Zeros at the end are preallocated space and read as nothing. error_code::corrupt when the size
  // is no multiple of 8, entries do not rise, or a position is at or past `log_bytes`.
  static result<offset_index> decode(bytes_view content, offset_t base, std::int64_t log_bytes,
                                     const std::string& path);
  byte_buffer encode() const;

  // The position of the last entry at or below `target`, 0 without one.
  file_position_t lookup(offset_t target) const;

  // Both larger than those of the last entry.
  void append(offset_t offset, file_position_t position);

  // Drops the entries at and above `end`.
  void truncate_to(offset_t end);

  std::size_t size() const { return entries_.size(); }
  offset_position at(std::size_t number) const;

 private:
  struct entry {
    std::int32_t relative_offset;
    std::int32_t position;
  };

  offset_t base_;
  std::vector<entry> entries_;
};

}  // namespace ringlog::storage
