#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/result.h"
#include "protocol/message.h"

namespace ringlog::protocol {

// Writes the primitive values of Kafka's messages into a buffer of its own. What cannot be said in
// the version that is written (a value for a field that the version lacks, null where it is not
// allowed, text that is too long) is remembered as the first failure and asked for once, by take().
class writer {
 public:
  // The bytes, or why they must not be used. `what` names the message in the error.
  result<byte_buffer> take(std::string_view what) &&;

  bool ok() const { return !failure_.has_value(); }
  std::size_t size() const { return bytes_.size(); }

  void fail(std::string why);
  void refuse_field(std::string_view field, std::int16_t version);
  // CHECKs that the message has this version: the writer's program chose it.
  void check_version(const message_info& info, std::int16_t version);

  template <std::integral T>
  void write_integer(T value) {
    store_be(grow(sizeof(T)), value);
  }
  void write_bool(bool value) { write_integer<std::int8_t>(value ? 1 : 0); }
  void write_float64(double value);
  void write_uuid(const uuid& value) { write_raw(value.bytes); }
  void write_unsigned_varint(std::uint32_t value);
  void write_raw(bytes_view bytes);

  void write_string(std::string_view text, bool compact);
  void write_nullable_string(std::optional<std::string_view> text, bool compact, bool nullable);
  void write_bytes(bytes_view bytes, bool compact);
  void write_nullable_bytes(std::optional<bytes_view> bytes, bool compact, bool nullable);

  void write_count(std::size_t count, bool compact);
  void write_null_count(bool compact, bool nullable);
  void write_presence(bool present, bool tagged, bool nullable);

 private:
  std::byte* grow(std::size_t size);
  void refuse_null(bool nullable);

  byte_buffer bytes_;
  std::optional<error> failure_;
};

// Collects the tagged fields of a struct, known and unknown, and writes them in the order of tags.
class tagged_fields_writer {
 public:
  explicit tagged_fields_writer(const std::vector<unknown_tagged_field>& unknown)
      : fields_(unknown) {}

  template <typename Write>
  void add(std::uint32_t tag, Write write) {
    writer payload;
    write(payload);
    add_payload(tag, std::move(payload).take("a tagged field"));
  }

  void write_to(writer& out);

 private:
  void add_payload(std::uint32_t tag, result<byte_buffer> payload);

  std::vector<unknown_tagged_field> fields_;
  std::optional<error> failure_;
};

// Where no tag is known.
void write_unknown_tagged_fields(writer& out, const std::vector<unknown_tagged_field>& unknown);

template <typename Element, typename Write>
void write_array(writer& out, const std::vector<Element>& elements, bool compact, Write write) {
  out.write_count(elements.size(), compact);
  for (const Element& element : elements) write(element);
}

template <typename Element, typename Write>
void write_nullable_array(writer& out, const std::optional<std::vector<Element>>& elements,
                          bool compact, bool nullable, Write write) {
  if (elements) {
    write_array(out, *elements, compact, std::move(write));
  } else {
    out.write_null_count(compact, nullable);
  }
}

template <typename Struct>
void write_nullable_struct(writer& out, const std::optional<Struct>& value, bool tagged,
                           bool nullable, std::int16_t version) {
  out.write_presence(value.has_value(), tagged, nullable);
  if (value) value->encode(out, version);
}

}  // namespace ringlog::protocol
