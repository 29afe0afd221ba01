#include "model/record.h"

#include "base/endian.h"
#include "base/limits.h"
#include "base/varint.h"

namespace ringlog::model {
namespace {

constexpr std::size_t header_bytes_min = 2;  // two lengths

// A length-prefixed field where -1 stands for null. Returns past it, or nullptr.
const std::byte* read_nullable(const std::byte* cursor, const std::byte* end,
                               std::optional<bytes_view>& field) {
  std::int32_t length = 0;
  cursor = read_varint(cursor, end, &length);
  if (cursor == nullptr || length < -1 || length > end - cursor) return nullptr;
  if (length < 0) {
    field.reset();
    return cursor;
  }
  field.emplace(cursor, static_cast<std::size_t>(length));
  return cursor + length;
}

std::int64_t add(std::int64_t left, std::int64_t right) {  // input may be anything
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                   static_cast<std::uint64_t>(right));
}

}  // namespace

bool record_header_iterator::next(record_header_view& header) {
  if (left_ == 0 || damaged_) {
    damaged_ = damaged_ || cursor_ != end_;
    return false;
  }
  std::optional<bytes_view> key;
  const std::byte* past = read_nullable(cursor_, end_, key);
  if (past != nullptr && key) past = read_nullable(past, end_, header.value);
  if (past == nullptr || !key) {
    damaged_ = true;
    return false;
  }
  header.key = as_text(*key);
  cursor_ = past;
  --left_;
  return true;
}

status record_header_iterator::outcome() const {
  if (!damaged_) return {};
  return error{error_code::invalid_record,
               "the headers of a record are damaged: their lengths do not fit the record's size"};
}

record_iterator::record_iterator(const batch_header_view& batch, bytes_view records)
    : begin_(records.data()),
      cursor_(records.data()),
      end_(records.data() + records.size()),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()),
      left_(batch.count()) {
  if (batch.timestamps() == timestamp_type::log_append_time) append_time_ = batch.max_timestamp();
}

bool record_iterator::next(record_view& record) {
  if (left_ <= 0 || damaged_) {
    damaged_ = damaged_ || left_ < 0 || cursor_ != end_;
    return false;
  }
  std::int32_t length = 0;
  const std::byte* body = read_varint(cursor_, end_, &length);
  if (body == nullptr || length < 0 || length > end_ - body ||
      !decode_body(body, body + length, record)) {
    damaged_ = true;
    return false;
  }
  cursor_ = body + length;
  --left_;
  return true;
}

bool record_iterator::decode_body(const std::byte* cursor, const std::byte* end,
                                  record_view& record) const {
  if (cursor == end) return false;
  ++cursor;  // attributes: no bit of it has a meaning yet
  std::int64_t timestamp_delta = 0;
  std::int32_t offset_delta = 0;
  cursor = read_varlong(cursor, end, &timestamp_delta);
  if (cursor != nullptr) cursor = read_varint(cursor, end, &offset_delta);
  if (cursor != nullptr) cursor = read_nullable(cursor, end, record.key);
  if (cursor != nullptr) cursor = read_nullable(cursor, end, record.value);
  if (cursor != nullptr) cursor = read_varint(cursor, end, &record.header_count);
  if (cursor == nullptr) return false;
  const auto header_bytes = static_cast<std::size_t>(end - cursor);
  if (record.header_count < 0 || record.header_count > limits::record_headers_max ||
      static_cast<std::size_t>(record.header_count) > header_bytes / header_bytes_min ||
      (record.header_count == 0 && header_bytes != 0)) {
    return false;
  }
  record.header_bytes = {cursor, header_bytes};
  record.offset = offset_t(add(base_offset_.value(), offset_delta));
  record.timestamp = append_time_ ? *append_time_ : add(base_timestamp_, timestamp_delta);
  return true;
}

status record_iterator::outcome() const {
  if (!damaged_) return {};
  return make_error(error_code::invalid_record,
                    "the records of the batch at offset {} are damaged at byte {} of {}, with {} "
                    "records not read",
                    base_offset_, cursor_ - begin_, end_ - begin_, left_);
}

result<control_record_key> parse_control_key(const std::optional<bytes_view>& key) {
  if (!key || key->size() < 2 * sizeof(std::int16_t)) {
    return error{error_code::corrupt, "a control record's key has fewer than four bytes"};
  }
  return control_record_key{load_be<std::int16_t>(key->data()),
                            static_cast<control_type>(load_be<std::int16_t>(key->data() + 2))};
}

result<std::optional<transaction_marker>> parse_transaction_marker(const batch_view& batch) {
  std::optional<transaction_marker> none;
  if (!batch.is_control() || !batch.has_producer_id() || batch.count() == 0) return none;
  const std::string context = fmt::format("control batch at offset {}", batch.base_offset());
  if (batch.compression() != compression_type::none) {
    return error{error_code::corrupt, context + ": a transaction marker is never compressed"};
  }
  record_view record;
  record_iterator records(batch, batch.records());
  if (!records.next(record)) return records.outcome().failure();
  auto key = parse_control_key(record.key);
  if (!key) return std::move(key.failure()).with_context(context);
  if (!ends_transaction(key->type)) return none;
  constexpr std::size_t marker_bytes = sizeof(std::int16_t) + sizeof(std::int32_t);
  if (!record.value || record.value->size() < marker_bytes) {
    return error{error_code::corrupt, context + ": an end-of-transaction marker is too short"};
  }
  return std::optional(transaction_marker{
      key->type, load_be<std::int32_t>(record.value->data() + sizeof(std::int16_t))});
}

}  // namespace ringlog::model
