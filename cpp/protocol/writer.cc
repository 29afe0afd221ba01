#include "protocol/writer.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/check.h"
#include "base/varint.h"

namespace ringlog::protocol {

result<byte_buffer> writer::take(std::string_view what) && {
  if (failure_) return std::move(*failure_).with_context(what);
  return std::move(bytes_);
}

void writer::fail(std::string why) {
  if (!failure_) failure_ = error{error_code::invalid_argument, std::move(why)};
}

void writer::refuse_field(std::string_view field, std::int16_t version) {
  fail(fmt::format("version {} has no field for the value of {}", version, field));
}

void writer::check_version(const message_info& info, std::int16_t version) {
  CHECK(info.has_version(version), "no such version of the message", info.name, version);
}

std::byte* writer::grow(std::size_t size) {
  const std::size_t before = bytes_.size();
  bytes_.resize(before + size);
  return bytes_.data() + before;
}

void writer::write_float64(double value) { write_integer(std::bit_cast<std::uint64_t>(value)); }

void writer::write_unsigned_varint(std::uint32_t value) {
  ringlog::write_unsigned_varint(grow(unsigned_varint_size(value)), value);
}

void writer::write_raw(bytes_view bytes) { append(bytes_, bytes); }

void writer::write_string(std::string_view text, bool compact) {
  constexpr std::size_t size_max = std::numeric_limits<std::int16_t>::max();
  if (text.size() > size_max) {
    fail(fmt::format("text of {} bytes, at most {} are allowed", text.size(), size_max));
    return;
  }
  if (compact) {
    write_unsigned_varint(static_cast<std::uint32_t>(text.size()) + 1);
  } else {
    write_integer(static_cast<std::int16_t>(text.size()));
  }
  write_raw(as_bytes(text));
}

void writer::refuse_null(bool nullable) {
  if (!nullable) fail("null where this version needs a value");
}

void writer::write_nullable_string(std::optional<std::string_view> text, bool compact,
                                   bool nullable) {
  if (text) return write_string(*text, compact);
  refuse_null(nullable);
  if (compact) {
    write_unsigned_varint(0);
  } else {
    write_integer<std::int16_t>(-1);
  }
}

void writer::write_bytes(bytes_view bytes, bool compact) {
  write_count(bytes.size(), compact);
  write_raw(bytes);
}

void writer::write_nullable_bytes(std::optional<bytes_view> bytes, bool compact, bool nullable) {
  if (bytes) return write_bytes(*bytes, compact);
  write_null_count(compact, nullable);
}

void writer::write_count(std::size_t count, bool compact) {
  if (count >= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(fmt::format("{} elements are too many", count));
    count = 0;
  }
  if (compact) {
    write_unsigned_varint(static_cast<std::uint32_t>(count) + 1);
  } else {
    write_integer(static_cast<std::int32_t>(count));
  }
}

void writer::write_null_count(bool compact, bool nullable) {
  refuse_null(nullable);
  if (compact) {
    write_unsigned_varint(0);
  } else {
    write_integer<std::int32_t>(-1);
  }
}

void writer::write_presence(bool present, bool tagged, bool nullable) {
  if (!present) refuse_null(nullable);
  if (tagged) {
    write_unsigned_varint(present ? 1 : 0);
  } else {
    write_integer<std::int8_t>(present ? 1 : -1);
  }
}

void tagged_fields_writer::add_payload(std::uint32_t tag, result<byte_buffer> payload) {
  if (payload.ok()) {
    fields_.push_back({tag, std::move(payload).value()});
  } else if (!failure_) {
    failure_ = std::move(payload.failure());
  }
}

void tagged_fields_writer::write_to(writer& out) {
  if (failure_) out.fail(failure_->message);
  const auto by_tag = [](const auto& left, const auto& right) { return left.tag < right.tag; };
  std::sort(fields_.begin(), fields_.end(), by_tag);
  out.write_unsigned_varint(static_cast<std::uint32_t>(fields_.size()));
  for (const unknown_tagged_field& field : fields_) {
    out.write_unsigned_varint(field.tag);
    out.write_unsigned_varint(static_cast<std::uint32_t>(field.payload.size()));
    out.write_raw(field.payload);
  }
}

void write_unknown_tagged_fields(writer& out, const std::vector<unknown_tagged_field>& unknown) {
  if (unknown.empty()) return out.write_unsigned_varint(0);
  tagged_fields_writer(unknown).write_to(out);
}

}  // namespace ringlog::protocol
