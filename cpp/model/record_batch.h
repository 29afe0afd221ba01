#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "base/endian.h"
#include "base/result.h"
#include "model/types.h"

// Record batch v2, the unit that producers send, logs store and consumers fetch, unchanged on the
// way (KIP-98; Kafka's DefaultRecordBatch). All integers are big-endian:
//
//   base_offset i64 | length i32, of what follows it | partition_leader_epoch i32 | magic i8 = 2 |
//   crc u32 | attributes i16 | last_offset_delta i32 | base_timestamp i64 | max_timestamp i64 |
//   producer_id i64 | producer_epoch i16 | base_sequence i32 | count i32 | records
//
// The CRC-32C covers everything from the attributes to the end. The broker assigns offset and
// leader epoch to every batch that it appends; they stand before it so that this costs no second
// pass over the records.
namespace ringlog::model {

namespace batch_layout {
inline constexpr std::size_t base_offset = 0;
inline constexpr std::size_t length = 8;
inline constexpr std::size_t partition_leader_epoch = 12;
inline constexpr std::size_t magic = 16;
inline constexpr std::size_t crc = 17;
inline constexpr std::size_t attributes = 21;
inline constexpr std::size_t last_offset_delta = 23;
inline constexpr std::size_t base_timestamp = 27;
inline constexpr std::size_t max_timestamp = 35;
inline constexpr std::size_t producer_id = 43;
inline constexpr std::size_t producer_epoch = 51;
inline constexpr std::size_t base_sequence = 53;
inline constexpr std::size_t count = 57;
inline constexpr std::size_t records = 61;

static_assert(length == base_offset + sizeof(std::int64_t));
static_assert(partition_leader_epoch == length + sizeof(std::int32_t));
static_assert(magic == partition_leader_epoch + sizeof(std::int32_t));
static_assert(crc == magic + sizeof(std::int8_t));
static_assert(attributes == crc + sizeof(std::uint32_t));
static_assert(last_offset_delta == attributes + sizeof(std::int16_t));
static_assert(base_timestamp == last_offset_delta + sizeof(std::int32_t));
static_assert(max_timestamp == base_timestamp + sizeof(std::int64_t));
static_assert(producer_id == max_timestamp + sizeof(std::int64_t));
static_assert(producer_epoch == producer_id + sizeof(std::int64_t));
static_assert(base_sequence == producer_epoch + sizeof(std::int16_t));
static_assert(count == base_sequence + sizeof(std::int32_t));
static_assert(records == count + sizeof(std::int32_t));
}  // namespace batch_layout

inline constexpr std::size_t batch_header_bytes = batch_layout::records;
// Base offset and length: what stands before the bytes that `length` counts.
inline constexpr std::size_t batch_overhead_bytes = batch_layout::partition_leader_epoch;
// As many bytes as tell the size and the format of a batch of any version.
inline constexpr std::size_t batch_prefix_bytes = batch_layout::magic + 1;

inline constexpr std::int8_t current_magic = 2;

namespace batch_attributes {
inline constexpr std::int16_t compression_mask = 0x07;
inline constexpr std::int16_t log_append_time = 0x08;
inline constexpr std::int16_t transactional = 0x10;
inline constexpr std::int16_t control = 0x20;
inline constexpr std::int16_t delete_horizon = 0x40;
}  // namespace batch_attributes

// Sequence numbers wrap from 2^31-1 to 0 (Kafka: DefaultRecordBatch.incrementSequence).
constexpr std::int32_t increment_sequence(std::int32_t sequence, std::int32_t distance) {
  return static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(distance)) & 0x7fffffff);
}

// Reads the header of a batch from 61 bytes that someone else owns; the records need not be there.
// A value; any thread. Nothing is believed until validate() has seen it.
class batch_header_view {
 public:
  explicit batch_header_view(bytes_view header) : data_(header.data()) {
    CHECK(header.size() >= batch_header_bytes, "a batch header has 61 bytes, got", header.size());
  }

  offset_t base_offset() const { return offset_t(load<std::int64_t>(batch_layout::base_offset)); }
  offset_t last_offset() const { return offset_t(add(base_offset().value(), last_offset_delta())); }
  offset_t next_offset() const { return offset_t(add(last_offset().value(), 1)); }
  std::int32_t last_offset_delta() const {
    return load<std::int32_t>(batch_layout::last_offset_delta);
  }

  // The whole batch with its header.
  std::size_t size_in_bytes() const {
    return batch_overhead_bytes + load<std::uint32_t>(batch_layout::length);
  }
  leader_epoch_t partition_leader_epoch() const {
    return leader_epoch_t(load<std::int32_t>(batch_layout::partition_leader_epoch));
  }
  std::int8_t magic() const { return load<std::int8_t>(batch_layout::magic); }
  std::uint32_t stored_crc() const { return load<std::uint32_t>(batch_layout::crc); }

  std::int16_t attributes() const { return load<std::int16_t>(batch_layout::attributes); }
  // 5 to 7 are no codec of Kafka's; validate() refuses them.
  compression_type compression() const {
    return static_cast<compression_type>(attributes() & batch_attributes::compression_mask);
  }
  timestamp_type timestamps() const {
    return has(batch_attributes::log_append_time) ? timestamp_type::log_append_time
                                                  : timestamp_type::create_time;
  }
  bool is_transactional() const { return has(batch_attributes::transactional); }
  bool is_control() const { return has(batch_attributes::control); }

  // Time from which compaction may drop tombstones and markers of this batch. It is kept in the
  // base timestamp, to which the records' timestamps stay relative (KIP-534).
  std::optional<std::int64_t> delete_horizon_ms() const {
    if (!has(batch_attributes::delete_horizon)) return std::nullopt;
    return base_timestamp();
  }
  std::int64_t base_timestamp() const { return load<std::int64_t>(batch_layout::base_timestamp); }
  std::int64_t max_timestamp() const { return load<std::int64_t>(batch_layout::max_timestamp); }

  producer_id_t producer_id() const {
    return producer_id_t(load<std::int64_t>(batch_layout::producer_id));
  }
  producer_epoch_t producer_epoch() const {
    return producer_epoch_t(load<std::int16_t>(batch_layout::producer_epoch));
  }
  bool has_producer_id() const { return producer_id() > no_producer_id; }
  std::int32_t base_sequence() const { return load<std::int32_t>(batch_layout::base_sequence); }
  std::int32_t last_sequence() const {
    if (base_sequence() == no_sequence) return no_sequence;
    return increment_sequence(base_sequence(), last_offset_delta());
  }

  // Records in the batch: last_offset_delta + 1, or fewer (even none) after compaction.
  std::int32_t count() const { return load<std::int32_t>(batch_layout::count); }

  const std::byte* data() const { return data_; }

 protected:
  template <typename T>
  T load(std::size_t position) const {
    return load_be<T>(data_ + position);
  }
  bool has(std::int16_t bit) const { return (attributes() & bit) != 0; }
  static std::int64_t add(std::int64_t left, std::int64_t right) {  // input may be anything
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                     static_cast<std::uint64_t>(right));
  }

 private:
  const std::byte* data_;
};

// A whole batch in bytes that someone else owns. A value; any thread.
class batch_view : public batch_header_view {
 public:
  // `bytes` is the batch exactly; parse_batch() finds one in longer bytes.
  explicit batch_view(bytes_view bytes) : batch_header_view(bytes), size_(bytes.size()) {
    CHECK(size_ == size_in_bytes(), "bytes are not one batch:", size_, size_in_bytes());
  }

  bytes_view bytes() const { return {data(), size_}; }

  // The records section, compressed as compression() says.
  bytes_view records() const { return bytes().subspan(batch_header_bytes); }

  std::uint32_t computed_crc() const;

 private:
  std::size_t size_;
};

// The size in bytes of the batch whose first bytes these are; nothing when there are fewer than
// batch_prefix_bytes. Fails as parse_batch does.
result<std::optional<std::size_t>> batch_size_at(bytes_view front);

// The batch at the front of `bytes`. Nothing when the bytes end before the batch does (read more,
// or a torn tail). error_code::corrupt when no batch can start so; error_code::unsupported for the
// message formats 0 and 1 of Kafka before 0.11. Looks at size and magic only.
result<std::optional<batch_view>> parse_batch(bytes_view bytes);

// How much validate() believes no longer; each level includes the ones before.
enum class validation_level : std::uint8_t {
  header,    // the fields agree with each other and with the size; else error_code::corrupt
  checksum,  // the CRC is right; else error_code::corrupt. What every stored batch fulfils
  produced,  // as a client must send it: at least one record, offsets without gaps, a sequence
             // with a producer id, no control batch; else error_code::invalid_record
};

status validate(const batch_view& batch, validation_level level);

// Decodes all records (decompressed by the caller) with their headers: lengths, counts, offset
// deltas growing and within the batch. error_code::invalid_record otherwise.
status validate_records(const batch_header_view& batch, bytes_view records);

// In-place changes by the owner of the bytes. Offset and epoch lie outside the CRC; the others
// compute it again.
void stamp_position(mutable_bytes batch, offset_t base_offset, leader_epoch_t leader_epoch);
void stamp_timestamps(mutable_bytes batch, timestamp_type type, std::int64_t max_timestamp);
void stamp_producer(mutable_bytes batch, producer_id_t id, producer_epoch_t epoch,
                    std::int32_t base_sequence);
void stamp_crc(mutable_bytes batch);

}  // namespace ringlog::model
