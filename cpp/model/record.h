#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "model/record_batch.h"
#include "model/types.h"

// Records inside a batch (KIP-98; Kafka's DefaultRecord), lengths and deltas as zigzag varints:
//
//   length | attributes i8 = 0 | timestamp_delta | offset_delta | key_length (-1: null) | key |
//   value_length (-1: null) | value | header_count | { key_length | key | value_length | value }
namespace ringlog::model {

// No record is shorter: one byte for each of its seven numbers.
inline constexpr std::size_t record_bytes_min = 7;

struct record_header_view {
  std::string_view key;
  std::optional<bytes_view> value;
};

// Decodes the headers of one record in order. After next() said false, outcome() tells whether
// all were read or the bytes are damaged. A value over bytes that someone else owns.
class record_header_iterator {
 public:
  record_header_iterator(bytes_view bytes, std::int32_t count)
      : cursor_(bytes.data()), end_(bytes.data() + bytes.size()), left_(count) {}

  bool next(record_header_view& header);
  status outcome() const;

 private:
  const std::byte* cursor_;
  const std::byte* end_;
  std::int32_t left_;
  bool damaged_ = false;
};

// One decoded record; key, value and headers point into the bytes of the batch.
struct record_view {
  offset_t offset{0};
  std::int64_t timestamp = no_timestamp;
  std::optional<bytes_view> key;
  std::optional<bytes_view> value;
  std::int32_t header_count = 0;
  bytes_view header_bytes;  // not looked at until headers() is iterated

  record_header_iterator headers() const { return {header_bytes, header_count}; }
};

// Decodes the records of a batch in order, one per call, with every length checked against the
// bytes left. `records` is the decompressed records section, owned by someone else. After next()
// said false, outcome() tells whether all were read or the bytes are damaged:
//
//   record_iterator records(batch, bytes);
//   for (record_view record; records.next(record);) use(record);
//   TRY(records.outcome());
class record_iterator {
 public:
  record_iterator(const batch_header_view& batch, bytes_view records);

  bool next(record_view& record);
  status outcome() const;

  // Records not yet read.
  std::int32_t left() const { return left_; }

 private:
  bool decode_body(const std::byte* cursor, const std::byte* end, record_view& record) const;

  const std::byte* begin_;
  const std::byte* cursor_;
  const std::byte* end_;
  offset_t base_offset_;
  std::int64_t base_timestamp_;
  std::optional<std::int64_t> append_time_;  // of all records, with log_append_time
  std::int32_t left_;
  bool damaged_ = false;
};

// Control batches: written by coordinators and KRaft, never shown to consumers
// (Kafka: ControlRecordType). Unknown types are to be skipped.
enum class control_type : std::int16_t {
  abort = 0,
  commit = 1,
  leader_change = 2,
  snapshot_header = 3,
  snapshot_footer = 4,
  kraft_version = 5,
  kraft_voters = 6,
};

struct control_record_key {
  std::int16_t version = 0;
  control_type type{};
};

inline bool ends_transaction(control_type type) {
  return type == control_type::abort || type == control_type::commit;
}

// error_code::corrupt when the key is null or too short.
result<control_record_key> parse_control_key(const std::optional<bytes_view>& key);

// What a transaction's control batch says: its one record is an EndTxnMarker.
struct transaction_marker {
  control_type type{};
  std::int32_t coordinator_epoch = 0;
};

// Nothing when the batch is no transaction marker. error_code::corrupt when it is a broken one.
result<std::optional<transaction_marker>> parse_transaction_marker(const batch_view& batch);

}  // namespace ringlog::model
