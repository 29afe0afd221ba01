#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/uuid.h"
#include "io/aligned_buffer.h"
#include "model/types.h"

// The journal's bytes: docs/journal_format.md says what they mean and why. All integers are
// big-endian.
namespace ringlog::storage {

namespace journal_format {

inline constexpr std::uint64_t magic = 0x52494e474a524e4c;  // "RINGJRNL"
inline constexpr std::uint16_t version = 1;
inline constexpr std::uint32_t known_incompatible_features = 0;

// Blocks stand at multiples of this, padded by io::align_up, in files whose sizes are, too.
inline constexpr std::size_t alignment = 4096;
static_assert(alignment == io::direct_alignment);

inline constexpr std::size_t magic_at = 0;
inline constexpr std::size_t checksum_at = 8;
inline constexpr std::size_t version_at = 12;
inline constexpr std::size_t incompatible_features_at = 16;
inline constexpr std::size_t compatible_features_at = 20;
inline constexpr std::size_t bytes_at = 24;
inline constexpr std::size_t entries_at = 28;
inline constexpr std::size_t epoch_at = 32;
inline constexpr std::size_t sequence_at = 40;
inline constexpr std::size_t durable_sequence_at = 48;
inline constexpr std::size_t directory_id_at = 56;
inline constexpr std::size_t cluster_checksum_at = 72;
inline constexpr std::size_t header_bytes = 80;
inline constexpr std::size_t checksummed_from = version_at;
static_assert(directory_id_at + sizeof(uuid) == cluster_checksum_at);
static_assert(cluster_checksum_at + 8 == header_bytes);
static_assert(header_bytes < alignment);

// What every entry begins with: kind u8, flags u8, zero u16, bytes u32 (of the whole entry), log
// u32.
inline constexpr std::size_t entry_prefix_bytes = 12;
inline constexpr std::size_t batch_fields_bytes = 32;
inline constexpr std::size_t batch_overhead = entry_prefix_bytes + batch_fields_bytes;
inline constexpr std::uint8_t flag_more_follows = 1;  // of a batch: this is not its last piece

}  // namespace journal_format

// Who wrote a block: blocks of other directories are none of ours.
struct journal_identity {
  uuid directory_id;
  std::uint32_t cluster_checksum = 0;  // CRC-32C of the cluster id

  static journal_identity of(const uuid& directory_id, std::string_view cluster_id);
  bool operator==(const journal_identity&) const = default;
};

struct block_header {
  std::uint32_t bytes = 0;  // header and entries, without the padding
  std::uint32_t entries = 0;
  std::uint64_t epoch = 0;             // of the journal: each open takes the next
  std::uint64_t sequence = 0;          // of the block; goes on over epochs
  std::uint64_t durable_sequence = 0;  // all blocks up to this one were complete
  journal_identity identity;
  bool operator==(const block_header&) const = default;
};

// Writes the header of a block whose entries are in place, checksum last. `block` has
// header.bytes bytes.
void seal_block(mutable_bytes block, const block_header& header);

// The header of what may be a block. Nothing for bytes that are none of this directory's blocks.
// Entries are not looked at. error_code::unsupported for a version or feature of a newer ringlog.
result<std::optional<block_header>> read_block_header(bytes_view bytes,
                                                      const journal_identity& identity);

// Whether the checksum of a block with all its bytes is right.
bool has_right_checksum(bytes_view block);

enum class journal_entry_kind : std::uint8_t {
  log = 1,
  batch = 2,
  log_start = 3,
  cut = 4,
  removed = 5,
};

// Gives a log its number, before the first entry that names it, and says how far its segments are
// on stable storage. Again for a log that has a number: from here on it is so.
struct journaled_log {
  topic_partition name;
  uuid topic_id;
  offset_t log_start{0};
  offset_t end{0};            // everything below is in the segments
  offset_t segment_base{0};   // of the segment that holds the end
  std::int64_t position = 0;  // of the end in it
  // Its batches do not go through the journal (durability::page_cache): everything below `end` is
  // on stable storage, and what stands behind it counts as far as it is whole.
  bool is_outside = false;
  bool operator==(const journaled_log&) const = default;
};

// A record batch, or a piece of one, and where its bytes stand in their segment.
struct journaled_batch {
  offset_t base{0};           // of the batch
  offset_t end{0};            // of the log after the batch
  offset_t segment_base{0};   // names the segment
  std::int64_t position = 0;  // of these bytes in the segment
  bytes_view bytes;
  bool more_follows = false;  // the batch goes on in the log's next entry
};

// The log begins later; segments before the one at `first_segment` are being removed.
struct journaled_log_start {
  offset_t start{0};
  offset_t first_segment{0};
};

// The log was cut to end at `end`, which is at `position` of the segment.
struct journaled_cut {
  offset_t end{0};
  offset_t segment_base{0};
  std::int64_t position = 0;
};

// The log is deleted: its number names nothing from here on.
struct journaled_removal {};

struct journal_entry {
  std::uint32_t log = 0;
  std::variant<journaled_log, journaled_batch, journaled_log_start, journaled_cut,
               journaled_removal>
      what;
};

std::size_t encoded_bytes(const journal_entry& entry);

// Writes the entry at the front of `target`; returns its bytes.
std::size_t encode_entry(mutable_bytes target, const journal_entry& entry);

// The entry at the front of `bytes`, which shrinks by it. The entry's bytes stay where they are.
// error_code::corrupt for what no version of ringlog writes.
result<journal_entry> decode_entry(bytes_view& bytes);

}  // namespace ringlog::storage
