#include "model/record_batch.h"

#include <limits>

#include "base/crc32c.h"
#include "base/limits.h"
#include "model/record.h"

namespace ringlog::model {
namespace {

// A record of format 0 without key and value, the shortest thing that `length` can count.
constexpr std::int32_t legacy_length_min = 14;

template <typename... Values>
error corrupt(const batch_header_view& batch, fmt::format_string<Values...> text,
              Values&&... values) {
  return make_error(error_code::corrupt, text, std::forward<Values>(values)...)
      .with_context(fmt::format("record batch at offset {}", batch.base_offset()));
}

status validate_header(const batch_view& batch) {
  const std::int64_t base = batch.base_offset().value();
  const std::int32_t delta = batch.last_offset_delta();
  if (batch.magic() != current_magic) return corrupt(batch, "magic {} is not 2", batch.magic());
  if (delta < 0) return corrupt(batch, "negative last offset delta {}", delta);
  if (base < 0 || base > std::numeric_limits<std::int64_t>::max() - delta - 1) {
    return corrupt(batch, "offsets from {} on by {} do not exist", base, delta);
  }
  const std::int32_t count = batch.count();
  if (count < 0 || count - 1 > delta) {
    return corrupt(batch, "{} records do not fit offset deltas up to {}", count, delta);
  }
  if (batch.compression() > compression_type::zstd) {
    return corrupt(batch, "compression type {} is unknown", static_cast<int>(batch.compression()));
  }
  const std::size_t records_bytes = batch.records().size();
  if (batch.compression() == compression_type::none &&
      static_cast<std::size_t>(count) > records_bytes / record_bytes_min) {
    return corrupt(batch, "{} records do not fit into {} bytes", count, records_bytes);
  }
  return {};
}

status validate_produced(const batch_view& batch) {
  const auto invalid = [](std::string message) {
    return error{error_code::invalid_record, std::move(message)};
  };
  if (batch.count() == 0) return invalid("a produced batch needs at least one record");
  if (batch.count() - 1 != batch.last_offset_delta()) {
    return invalid(fmt::format("a produced batch of {} records has offset deltas up to {}",
                               batch.count(), batch.last_offset_delta()));
  }
  if (batch.is_control()) return invalid("clients are not allowed to write control records");
  if (batch.has_producer_id() && batch.base_sequence() < 0) {
    return invalid(fmt::format("sequence number {} is invalid for producer id {}",
                               batch.base_sequence(), batch.producer_id()));
  }
  if (batch.has_producer_id() && batch.producer_epoch() < producer_epoch_t(0)) {
    return invalid(fmt::format("producer epoch {} is invalid for producer id {}",
                               batch.producer_epoch(), batch.producer_id()));
  }
  if (batch.is_transactional() && !batch.has_producer_id()) {
    return invalid("a transactional batch needs a producer id");
  }
  return {};
}

}  // namespace

std::uint32_t batch_view::computed_crc() const {
  return crc32c(bytes().subspan(batch_layout::attributes));
}

result<std::optional<std::size_t>> batch_size_at(bytes_view front) {
  if (front.size() < batch_prefix_bytes) return std::optional<std::size_t>();
  const auto base_offset = load_be<std::int64_t>(front.data() + batch_layout::base_offset);
  const auto length = load_be<std::int32_t>(front.data() + batch_layout::length);
  const auto magic = load_be<std::int8_t>(front.data() + batch_layout::magic);
  if (length < legacy_length_min) {
    return make_error(error_code::corrupt,
                      "no record batch starts here: its length would be {} bytes", length);
  }
  if (magic == 0 || magic == 1) {
    return make_error(error_code::unsupported,
                      "message format v{} of Kafka before 0.11 at offset {}: let Kafka 3.x rewrite "
                      "the topic (log.message.format.version) before opening it here",
                      magic, base_offset);
  }
  if (magic != current_magic) {
    return make_error(error_code::corrupt, "record batch at offset {} has the unknown magic {}",
                      base_offset, magic);
  }
  const std::size_t size = batch_overhead_bytes + static_cast<std::size_t>(length);
  if (size < batch_header_bytes || size > static_cast<std::size_t>(limits::batch_bytes_max)) {
    return make_error(error_code::corrupt,
                      "record batch at offset {} cannot have {} bytes ({} to {} are possible)",
                      base_offset, size, batch_header_bytes, limits::batch_bytes_max);
  }
  return std::optional<std::size_t>(size);
}

result<std::optional<batch_view>> parse_batch(bytes_view bytes) {
  TRY_ASSIGN(const std::optional<std::size_t> size, batch_size_at(bytes));
  if (!size || *size > bytes.size()) return std::optional<batch_view>();
  return std::optional<batch_view>(batch_view(bytes.first(*size)));
}

status validate(const batch_view& batch, validation_level level) {
  TRY(validate_header(batch));
  if (level >= validation_level::checksum && batch.stored_crc() != batch.computed_crc()) {
    return corrupt(batch, "checksum is {:#010x}, its header says {:#010x}", batch.computed_crc(),
                   batch.stored_crc());
  }
  if (level >= validation_level::produced) return validate_produced(batch);
  return {};
}

status validate_records(const batch_header_view& batch, bytes_view records) {
  record_iterator iterator(batch, records);
  std::int64_t previous = batch.base_offset().value() - 1;
  for (record_view record; iterator.next(record);) {
    if (record.offset.value() <= previous || record.offset > batch.last_offset()) {
      return make_error(error_code::invalid_record,
                        "record with offset {} is out of place in a batch of offsets {} to {}",
                        record.offset, batch.base_offset(), batch.last_offset());
    }
    previous = record.offset.value();
    record_header_iterator headers = record.headers();
    for (record_header_view header; headers.next(header);) {
    }
    TRY(headers.outcome());
  }
  return iterator.outcome();
}

void stamp_position(mutable_bytes batch, offset_t base_offset, leader_epoch_t leader_epoch) {
  store_be(batch.data() + batch_layout::base_offset, base_offset.value());
  store_be(batch.data() + batch_layout::partition_leader_epoch, leader_epoch.value());
}

void stamp_timestamps(mutable_bytes batch, timestamp_type type, std::int64_t max_timestamp) {
  std::int16_t attributes = batch_view(batch).attributes();
  attributes = static_cast<std::int16_t>(type == timestamp_type::log_append_time
                                             ? attributes | batch_attributes::log_append_time
                                             : attributes & ~batch_attributes::log_append_time);
  store_be(batch.data() + batch_layout::attributes, attributes);
  store_be(batch.data() + batch_layout::max_timestamp, max_timestamp);
  stamp_crc(batch);
}

void stamp_producer(mutable_bytes batch, producer_id_t id, producer_epoch_t epoch,
                    std::int32_t base_sequence) {
  store_be(batch.data() + batch_layout::producer_id, id.value());
  store_be(batch.data() + batch_layout::producer_epoch, epoch.value());
  store_be(batch.data() + batch_layout::base_sequence, base_sequence);
  stamp_crc(batch);
}

void stamp_crc(mutable_bytes batch) {
  store_be(batch.data() + batch_layout::crc, batch_view(batch).computed_crc());
}

}  // namespace ringlog::model
