#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/types.h"

namespace ringlog::storage {

struct timestamp_offset {
  std::int64_t timestamp = no_timestamp;
  offset_t offset{no_offset};
  bool operator==(const timestamp_offset&) const = default;
};

// A segment's time index in memory (Kafka: TimeIndex): "no record up to this offset is younger
// than this timestamp". Owned by its segment, used under the log's mutex, or shared unchanging.
//
// On disk (`.timeindex`), big-endian: { timestamp i64 | relative_offset i32 }: the largest
// timestamp so far and the last offset of the batch that holds it; timestamps strictly rise.
class time_index {
 public:
  static constexpr std::size_t entry_bytes = 12;

  explicit time_index(offset_t base) : base_(base) {}

  // Zeros at the end are preallocated space and read as nothing. error_code::corrupt when the size
  // is no multiple of 12 or entries do not rise.
  static result<time_index> decode(bytes_view content, offset_t base, const std::string& path);
  byte_buffer encode() const;

  // The last entry at or below `timestamp`, (-1, base) without one.
  timestamp_offset lookup(std::int64_t timestamp) const;

  // (-1, base) without entries.
  timestamp_offset last() const;

  // Adds the entry unless its timestamp is not above the last one.
  void maybe_append(const timestamp_offset& entry);

  // Drops the entries whose offset is at or above `end`.
  void truncate_to(offset_t end);

  std::size_t size() const { return entries_.size(); }
  timestamp_offset at(std::size_t number) const;

 private:
  struct entry {
    std::int64_t timestamp;
    std::int32_t relative_offset;
  };

  offset_t base_;
  std::vector<entry> entries_;
};

}  // namespace ringlog::storage
