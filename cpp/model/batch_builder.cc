#include "model/batch_builder.h"

#include "base/endian.h"

namespace ringlog::model {
namespace {

template <typename T>
void put(mutable_bytes batch, std::size_t position, T value) {
  store_be(batch.data() + position, value);
}

void put_length(mutable_bytes batch) {
  put(batch, batch_layout::length, static_cast<std::int32_t>(batch.size() - batch_overhead_bytes));
}

}  // namespace

void batch_builder::grow(std::size_t size) { buffer_.resize(std::max(size, 2 * buffer_.size())); }

void batch_builder::write_header(mutable_bytes batch, compression_type type,
                                 const batch_fields& fields) const {
  auto attributes = static_cast<std::int16_t>(type);
  if (fields.is_transactional) attributes |= batch_attributes::transactional;
  if (fields.is_control) attributes |= batch_attributes::control;
  put(batch, batch_layout::base_offset, fields.base_offset.value());
  put_length(batch);
  put(batch, batch_layout::partition_leader_epoch, fields.partition_leader_epoch.value());
  put(batch, batch_layout::magic, current_magic);
  put(batch, batch_layout::attributes, attributes);
  put(batch, batch_layout::last_offset_delta, count_ - 1);
  put(batch, batch_layout::base_timestamp, base_timestamp_);
  put(batch, batch_layout::max_timestamp, max_timestamp_);
  put(batch, batch_layout::producer_id, fields.producer_id.value());
  put(batch, batch_layout::producer_epoch, fields.producer_epoch.value());
  put(batch, batch_layout::base_sequence, fields.base_sequence);
  put(batch, batch_layout::count, count_);
  stamp_crc(batch);
}

byte_buffer batch_builder::finish(const batch_fields& fields) && {
  finish_in_place(fields);
  buffer_.resize(size_);
  return std::move(buffer_);
}

mutable_bytes batch_builder::finish_in_place(const batch_fields& fields) {
  CHECK(count_ > 0, "a batch has at least one record");
  const mutable_bytes batch = mutable_bytes(buffer_).first(size_);
  write_header(batch, compression_type::none, fields);
  return batch;
}

void batch_builder::clear() {
  size_ = batch_header_bytes;
  count_ = 0;
  base_timestamp_ = max_timestamp_ = no_timestamp;
}

byte_buffer batch_builder::finish_compressed(bytes_view compressed_records, compression_type type,
                                             const batch_fields& fields) && {
  CHECK(count_ > 0, "a batch has at least one record");
  byte_buffer batch(batch_header_bytes);
  batch.reserve(batch_header_bytes + compressed_records.size());
  ringlog::append(batch, compressed_records);
  write_header(batch, type, fields);
  return batch;
}

byte_buffer replace_records(const batch_header_view& batch, bytes_view records,
                            compression_type type) {
  byte_buffer replaced;
  replaced.reserve(batch_header_bytes + records.size());
  ringlog::append(replaced, {batch.data(), batch_header_bytes});
  ringlog::append(replaced, records);
  const int others = batch.attributes() & ~batch_attributes::compression_mask;
  put_length(replaced);
  put(replaced, batch_layout::attributes,
      static_cast<std::int16_t>(others | static_cast<int>(type)));
  stamp_crc(replaced);
  return replaced;
}

std::array<std::byte, 4> encode_control_key(control_type type) {
  std::array<std::byte, 4> key{};  // version 0
  store_be(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

std::array<std::byte, 6> encode_transaction_marker(std::int32_t coordinator_epoch) {
  std::array<std::byte, 6> value{};  // version 0
  store_be(value.data() + 2, coordinator_epoch);
  return value;
}

byte_buffer make_transaction_marker_batch(const transaction_marker& marker, producer_id_t id,
                                          producer_epoch_t epoch, std::int64_t timestamp) {
  CHECK(ends_transaction(marker.type), "not a transaction's end:", static_cast<int>(marker.type));
  const auto key = encode_control_key(marker.type);
  const auto value = encode_transaction_marker(marker.coordinator_epoch);
  batch_builder builder(2 * batch_header_bytes);
  builder.append(timestamp, key, value);
  batch_fields fields;
  fields.producer_id = id;
  fields.producer_epoch = epoch;
  fields.is_transactional = true;
  fields.is_control = true;
  return std::move(builder).finish(fields);
}

}  // namespace ringlog::model
