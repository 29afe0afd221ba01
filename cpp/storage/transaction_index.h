#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/types.h"

namespace ringlog::storage {

// An aborted transaction: its records lie in [first_offset, last_offset), its marker is at
// last_offset, and the last stable offset was last_stable_offset after that marker.
struct aborted_range {
  producer_id_t producer_id{no_producer_id};
  offset_t first_offset{no_offset};
  offset_t last_offset{no_offset};
  offset_t last_stable_offset{no_offset};
  bool operator==(const aborted_range&) const = default;
};

// The aborted transactions whose markers lie in a segment (Kafka: TransactionIndex), in the order
// of the markers. Owned by its segment, used under the log's mutex, or shared unchanging.
//
// On disk (`.txnindex`, there only when not empty), big-endian: { version i16 = 0 | producer_id
// i64 | first_offset i64 | last_offset i64 | last_stable_offset i64 }.
class transaction_index {
 public:
  static constexpr std::size_t entry_bytes = 34;

  // error_code::corrupt when the size is no multiple of 34 or last offsets do not rise;
  // error_code::unsupported for an unknown version.
  static result<transaction_index> decode(bytes_view content, const std::string& path);
  byte_buffer encode() const;

  void append(const aborted_range& aborted);

  // Adds those that concern readers of [from, to) to `found`. True when no later segment can hold
  // more of them.
  bool collect(offset_t from, offset_t to, std::vector<aborted_range>& found) const;

  void truncate_to(offset_t end);

  const std::vector<aborted_range>& entries() const { return entries_; }

 private:
  std::vector<aborted_range> entries_;
};

}  // namespace ringlog::storage
