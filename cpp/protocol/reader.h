#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/result.h"
#include "protocol/message.h"

namespace ringlog::protocol {

// Reads the primitive values of Kafka's messages from bytes that may hold anything. The first error
// sticks: from then on every read gives zero or nothing and no loop goes on, so that callers ask
// once, at the end. No count is believed beyond what the bytes left could hold. Views the bytes,
// owns none; one thread. Format: Kafka's protocol guide, "Protocol Primitive Types", and KIP-482.
class reader {
 public:
  explicit reader(bytes_view bytes) : bytes_(bytes), end_(bytes.size()) {}

  bool ok() const { return !failure_.has_value(); }
  std::size_t bytes_left() const { return end_ - position_; }

  // Remembers the first failure; `why` continues a sentence that names message and position.
  void fail(std::string why, error_code code = error_code::corrupt);

  // Success if nothing failed and nothing is left over. `what` names the bytes in the error.
  status finish(std::string_view what);
  // The same, whatever is left over.
  status finish_early(std::string_view what);

  // Fails with error_code::unsupported unless the message has this version.
  void check_version(const message_info& info, std::int16_t version);

  template <std::integral T>
  T read_integer() {
    const std::byte* source = take(sizeof(T));
    return source == nullptr ? T{0} : load_be<T>(source);
  }
  bool read_bool() { return read_integer<std::int8_t>() != 0; }
  double read_float64();
  uuid read_uuid();
  std::uint32_t read_unsigned_varint();

  // Compact lengths are unsigned varints of length + 1, others int16 for text and int32 for bytes.
  std::string read_string(bool compact);
  std::optional<std::string> read_nullable_string(bool compact, bool nullable);
  byte_buffer read_bytes(bool compact);
  std::optional<byte_buffer> read_nullable_bytes(bool compact, bool nullable);
  // The same as views of what is read.
  std::string_view read_string_view(bool compact);
  std::optional<std::string_view> read_nullable_string_view(bool compact, bool nullable);
  bytes_view read_bytes_view(bool compact);
  std::optional<bytes_view> read_nullable_bytes_view(bool compact, bool nullable);
  bytes_view read_view(std::size_t size);

  // The number of elements of an array, each of at least `smallest` bytes; none if null.
  std::optional<std::size_t> read_count(bool compact, bool nullable, std::size_t smallest);
  // Whether a struct that may be null is there. In a tagged field that is an unsigned varint, 0 or
  // 1; elsewhere a byte, -1 or 1.
  bool read_presence(bool tagged, bool nullable);

 private:
  friend class tagged_fields_reader;

  const std::byte* take(std::size_t size);
  std::optional<bytes_view> read_sized(bool compact, bool nullable, bool is_text);
  std::optional<std::size_t> allow_null(bool nullable);

  bytes_view bytes_;
  std::size_t position_ = 0;
  std::size_t end_;  // of what may be read now: of the bytes or of a tagged field
  std::optional<error> failure_;
};

// The tagged fields at the end of a flexible struct, in rising order of their tags:
//   for (tagged_fields_reader fields(in); fields.next();) { ... fields.tag() ... }
// Inside the loop `in` ends where the field ends; a field that is not read to its end is an error.
class tagged_fields_reader {
 public:
  explicit tagged_fields_reader(reader& in);

  bool next();
  std::uint32_t tag() const { return tag_; }
  // The rest of the current field, as it is.
  unknown_tagged_field take_unknown();

 private:
  reader& in_;
  const std::size_t outer_end_;
  std::uint32_t fields_left_;
  std::uint32_t tag_ = 0;
  bool first_ = true;
};

// Where no tag is known.
std::vector<unknown_tagged_field> read_unknown_tagged_fields(reader& in);

template <typename Element, typename Read>
std::optional<std::vector<Element>> read_nullable_array(reader& in, bool compact, bool nullable,
                                                        std::size_t smallest, Read read) {
  const std::optional<std::size_t> count = in.read_count(compact, nullable, smallest);
  if (!count) return std::nullopt;
  std::vector<Element> elements;
  // A count that is believed costs no more memory than the bytes that were sent; what is beyond it
  // comes with the elements that are really there.
  elements.reserve(std::min(*count, in.bytes_left() / sizeof(Element) + 1));
  for (std::size_t i = 0; i < *count && in.ok(); ++i) elements.push_back(read());
  return elements;
}

template <typename Element, typename Read>
std::vector<Element> read_array(reader& in, bool compact, std::size_t smallest, Read read) {
  auto elements = read_nullable_array<Element>(in, compact, false, smallest, std::move(read));
  return elements ? std::move(*elements) : std::vector<Element>{};
}

template <typename Struct>
std::optional<Struct> read_nullable_struct(reader& in, bool tagged, bool nullable,
                                           std::int16_t version) {
  if (!in.read_presence(tagged, nullable)) return std::nullopt;
  return Struct::decode(in, version);
}

}  // namespace ringlog::protocol
