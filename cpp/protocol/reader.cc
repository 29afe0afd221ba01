#include "protocol/reader.h"

#include <bit>

#include "base/varint.h"

namespace ringlog::protocol {

void reader::fail(std::string why, error_code code) {
  if (failure_) return;
  failure_ = make_error(code, "{} (at byte {} of {})", why, position_, bytes_.size());
  end_ = position_;
}

status reader::finish(std::string_view what) {
  if (ok() && position_ != bytes_.size()) {
    fail(fmt::format("{} bytes more than expected", bytes_.size() - position_));
  }
  return finish_early(what);
}

status reader::finish_early(std::string_view what) {
  if (failure_) return error(*failure_).with_context(what);
  return {};
}

void reader::check_version(const message_info& info, std::int16_t version) {
  if (info.has_version(version)) return;
  fail(fmt::format("version {} of {} is not known (known: {} to {}); a newer program wrote it",
                   version, info.name, info.lowest_version, info.highest_version),
       error_code::unsupported);
}

const std::byte* reader::take(std::size_t size) {
  if (size > bytes_left()) {
    fail(fmt::format("{} bytes expected, {} left", size, bytes_left()));
    return nullptr;
  }
  const std::byte* source = bytes_.data() + position_;
  position_ += size;
  return source;
}

bytes_view reader::read_view(std::size_t size) {
  const std::byte* source = take(size);
  return source == nullptr ? bytes_view{} : bytes_view(source, size);
}

double reader::read_float64() { return std::bit_cast<double>(read_integer<std::uint64_t>()); }

uuid reader::read_uuid() {
  uuid id;
  const std::byte* source = take(id.bytes.size());
  if (source != nullptr) std::memcpy(id.bytes.data(), source, id.bytes.size());
  return id;
}

std::uint32_t reader::read_unsigned_varint() {
  const std::byte* begin = bytes_.data() + position_;
  std::uint32_t value = 0;
  const std::byte* past = ringlog::read_unsigned_varint(begin, bytes_.data() + end_, &value);
  if (past == nullptr) {
    fail("no unsigned varint of 32 bits");
    return 0;
  }
  position_ += static_cast<std::size_t>(past - begin);
  return value;
}

std::optional<std::size_t> reader::allow_null(bool nullable) {
  if (!nullable) fail("null where a value is needed");
  return std::nullopt;
}

std::optional<bytes_view> reader::read_sized(bool compact, bool nullable, bool is_text) {
  std::int64_t size;
  if (compact) {
    size = static_cast<std::int64_t>(read_unsigned_varint()) - 1;
  } else {
    size = is_text ? read_integer<std::int16_t>() : read_integer<std::int32_t>();
  }
  if (!ok()) return std::nullopt;
  if (size == -1) {
    allow_null(nullable);
    return std::nullopt;
  }
  if (size < 0) {
    fail(fmt::format("negative length {}", size));
    return std::nullopt;
  }
  // Compact lengths could say more than the other form, in which the text may be written again.
  if (is_text && size > std::numeric_limits<std::int16_t>::max()) {
    fail(fmt::format("text of {} bytes", size));
    return std::nullopt;
  }
  return read_view(static_cast<std::size_t>(size));
}

std::string_view reader::read_string_view(bool compact) {
  return as_text(read_sized(compact, false, true).value_or(bytes_view{}));
}

std::optional<std::string_view> reader::read_nullable_string_view(bool compact, bool nullable) {
  const auto view = read_sized(compact, nullable, true);
  if (!view) return std::nullopt;
  return as_text(*view);
}

bytes_view reader::read_bytes_view(bool compact) {
  return read_sized(compact, false, false).value_or(bytes_view{});
}

std::optional<bytes_view> reader::read_nullable_bytes_view(bool compact, bool nullable) {
  return read_sized(compact, nullable, false);
}

std::string reader::read_string(bool compact) { return std::string(read_string_view(compact)); }

std::optional<std::string> reader::read_nullable_string(bool compact, bool nullable) {
  const auto view = read_sized(compact, nullable, true);
  if (!view) return std::nullopt;
  return to_string(*view);
}

byte_buffer reader::read_bytes(bool compact) { return to_buffer(read_bytes_view(compact)); }

std::optional<byte_buffer> reader::read_nullable_bytes(bool compact, bool nullable) {
  const auto view = read_sized(compact, nullable, false);
  if (!view) return std::nullopt;
  return to_buffer(*view);
}

std::optional<std::size_t> reader::read_count(bool compact, bool nullable, std::size_t smallest) {
  const std::int64_t count = compact ? static_cast<std::int64_t>(read_unsigned_varint()) - 1
                                     : read_integer<std::int32_t>();
  if (!ok()) return std::nullopt;
  if (count == -1) return allow_null(nullable);
  if (count < 0 || static_cast<std::size_t>(count) > bytes_left() / smallest) {
    fail(fmt::format("{} elements of at least {} bytes, {} bytes left", count, smallest,
                     bytes_left()));
    return std::nullopt;
  }
  return static_cast<std::size_t>(count);
}

bool reader::read_presence(bool tagged, bool nullable) {
  const bool present = tagged ? read_unsigned_varint() > 0 : read_integer<std::int8_t>() >= 0;
  if (!present) allow_null(nullable);
  return present && ok();
}

tagged_fields_reader::tagged_fields_reader(reader& in)
    : in_(in), outer_end_(in.end_), fields_left_(in.read_unsigned_varint()) {}

bool tagged_fields_reader::next() {
  if (in_.ok() && in_.bytes_left() > 0 && !first_) {
    in_.fail(fmt::format("{} bytes more than tagged field {} has", in_.bytes_left(), tag_));
  }
  if (!in_.ok()) return false;
  if (!first_) in_.end_ = outer_end_;
  if (fields_left_ == 0) return false;
  --fields_left_;
  const std::uint32_t tag = in_.read_unsigned_varint();
  const std::uint32_t size = in_.read_unsigned_varint();
  if (!first_ && tag <= tag_) in_.fail(fmt::format("tagged field {} after {}", tag, tag_));
  if (size > in_.bytes_left()) {
    in_.fail(fmt::format("tagged field {} of {} bytes, {} left", tag, size, in_.bytes_left()));
  }
  if (!in_.ok()) return false;
  first_ = false;
  tag_ = tag;
  in_.end_ = in_.position_ + size;
  return true;
}

unknown_tagged_field tagged_fields_reader::take_unknown() {
  return {tag_, to_buffer(in_.read_view(in_.bytes_left()))};
}

std::vector<unknown_tagged_field> read_unknown_tagged_fields(reader& in) {
  std::vector<unknown_tagged_field> found;
  for (tagged_fields_reader fields(in); fields.next();) found.push_back(fields.take_unknown());
  return found;
}

}  // namespace ringlog::protocol
