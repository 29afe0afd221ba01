#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/varint.h"
#include "model/record.h"
#include "model/record_batch.h"
#include "model/types.h"

namespace ringlog::model {

// What a batch's header says beyond what its records tell.
struct batch_fields {
  offset_t base_offset{0};
  leader_epoch_t partition_leader_epoch{no_leader_epoch};
  producer_id_t producer_id{no_producer_id};
  producer_epoch_t producer_epoch{no_producer_epoch};
  std::int32_t base_sequence = no_sequence;
  bool is_transactional = false;
  bool is_control = false;
};

// Encodes records one after another straight into the bytes of a batch, which are what is sent and
// what is stored. Owned by one thread at a time. The first record's timestamp is the base; offsets
// count from the base offset without gaps (Kafka: MemoryRecordsBuilder with CreateTime).
class batch_builder {
 public:
  // Room that the batch will probably need; it grows beyond.
  explicit batch_builder(std::size_t bytes_expected = 0)
      : buffer_(std::max(bytes_expected, batch_header_bytes)) {}

  // Returns the record's offset delta. The caller keeps the batch below limits::batch_bytes_max.
  std::int32_t append(std::int64_t timestamp, std::optional<bytes_view> key,
                      std::optional<bytes_view> value,
                      std::span<const record_header_view> headers = {});

  // An upper bound of what append() would add.
  static std::size_t record_bytes_max(std::optional<bytes_view> key,
                                      std::optional<bytes_view> value,
                                      std::span<const record_header_view> headers = {});

  bool empty() const { return count_ == 0; }
  std::int32_t count() const { return count_; }
  std::int64_t max_timestamp() const { return max_timestamp_; }

  // Of the batch if it were finished now, uncompressed.
  std::size_t size_in_bytes() const { return size_; }

  // The records section so far: what a codec compresses for finish_compressed.
  bytes_view records() const {
    return bytes_view(buffer_).first(size_).subspan(batch_header_bytes);
  }

  // The batch with header and CRC. The builder is used up by it.
  byte_buffer finish(const batch_fields& fields) &&;

  // The same in place: the bytes stay here, and stay the builder's, until clear(). Nothing may be
  // appended meanwhile.
  mutable_bytes finish_in_place(const batch_fields& fields);

  // Empty as new, but the room is kept.
  void clear();
  std::size_t capacity() const { return buffer_.size(); }

  byte_buffer finish_compressed(bytes_view compressed_records, compression_type type,
                                const batch_fields& fields) &&;

 private:
  void grow(std::size_t size);
  void write_header(mutable_bytes batch, compression_type type, const batch_fields& fields) const;

  byte_buffer buffer_;
  std::size_t size_ = batch_header_bytes;
  std::int32_t count_ = 0;
  std::int64_t base_timestamp_ = no_timestamp;
  std::int64_t max_timestamp_ = no_timestamp;
};

// The same batch with other bytes as its records section: compressed, or in another codec.
byte_buffer replace_records(const batch_header_view& batch, bytes_view records,
                            compression_type type);

// Key of a control record, and value of a transaction's (EndTxnMarker version 0).
std::array<std::byte, 4> encode_control_key(control_type type);
std::array<std::byte, 6> encode_transaction_marker(std::int32_t coordinator_epoch);

// The batch that ends a producer's transaction in a partition.
byte_buffer make_transaction_marker_batch(const transaction_marker& marker, producer_id_t id,
                                          producer_epoch_t epoch, std::int64_t timestamp);

// ---- the hot path, inline

namespace detail {
inline std::size_t nullable_size(const std::optional<bytes_view>& field) {
  if (!field) return 1;
  return varint_size(static_cast<std::int32_t>(field->size())) + field->size();
}
inline std::byte* write_bytes(std::byte* target, bytes_view source) {
  if (!source.empty()) std::memcpy(target, source.data(), source.size());
  return target + source.size();
}
inline std::byte* write_nullable(std::byte* target, const std::optional<bytes_view>& field) {
  if (!field) return write_varint(target, -1);
  target = write_varint(target, static_cast<std::int32_t>(field->size()));
  return write_bytes(target, *field);
}
inline std::size_t headers_size(std::span<const record_header_view> headers) {
  std::size_t size = varint_size(static_cast<std::int32_t>(headers.size()));
  for (const record_header_view& header : headers) {
    size += nullable_size(as_bytes(header.key)) + nullable_size(header.value);
  }
  return size;
}
}  // namespace detail

inline std::size_t batch_builder::record_bytes_max(std::optional<bytes_view> key,
                                                   std::optional<bytes_view> value,
                                                   std::span<const record_header_view> headers) {
  constexpr std::size_t length_attributes_deltas =
      varint_bytes_max + 1 + varlong_bytes_max + varint_bytes_max;
  return length_attributes_deltas + detail::nullable_size(key) + detail::nullable_size(value) +
         detail::headers_size(headers);
}

inline std::int32_t batch_builder::append(std::int64_t timestamp, std::optional<bytes_view> key,
                                          std::optional<bytes_view> value,
                                          std::span<const record_header_view> headers) {
  const std::int32_t offset_delta = count_;
  if (offset_delta == 0) base_timestamp_ = max_timestamp_ = timestamp;
  if (timestamp > max_timestamp_) max_timestamp_ = timestamp;
  const auto timestamp_delta = static_cast<std::int64_t>(
      static_cast<std::uint64_t>(timestamp) - static_cast<std::uint64_t>(base_timestamp_));

  const std::size_t body = 1 + varlong_size(timestamp_delta) + varint_size(offset_delta) +
                           detail::nullable_size(key) + detail::nullable_size(value) +
                           detail::headers_size(headers);
  CHECK(body < static_cast<std::size_t>(limits::batch_bytes_max), "a record is too large:", body);
  if (buffer_.size() - size_ < body + varint_bytes_max) grow(size_ + body + varint_bytes_max);

  std::byte* cursor = buffer_.data() + size_;
  cursor = write_varint(cursor, static_cast<std::int32_t>(body));
  *cursor++ = std::byte{0};  // attributes
  cursor = write_varlong(cursor, timestamp_delta);
  cursor = write_varint(cursor, offset_delta);
  cursor = detail::write_nullable(cursor, key);
  cursor = detail::write_nullable(cursor, value);
  cursor = write_varint(cursor, static_cast<std::int32_t>(headers.size()));
  for (const record_header_view& header : headers) {
    cursor = detail::write_nullable(cursor, as_bytes(header.key));
    cursor = detail::write_nullable(cursor, header.value);
  }
  size_ = static_cast<std::size_t>(cursor - buffer_.data());
  ++count_;
  return offset_delta;
}

}  // namespace ringlog::model
