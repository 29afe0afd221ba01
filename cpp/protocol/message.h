#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/uuid.h"

// What every struct generated from a *.kmsg file is made of (language: kmsg.py).
namespace ringlog::protocol {

class reader;
class writer;

// The constants of a message. `api_key` is -1 where the kind of message has none.
struct message_info {
  static constexpr std::int16_t never_flexible = std::numeric_limits<std::int16_t>::max();

  std::string_view name;
  std::int16_t api_key;
  std::int16_t lowest_version;
  std::int16_t highest_version;
  std::int16_t lowest_flexible_version;

  bool has_version(std::int16_t version) const {
    return version >= lowest_version && version <= highest_version;
  }
};

// What for_each_field tells a visitor about a field, besides the value.
struct field_info {
  std::string_view name;  // as Kafka's JSON has it: camelCase
  bool nullable;          // in this version
  bool shown;             // false: a tagged field with its default value, not written
};

// A field that a newer writer put into a flexible message. Kept, so that a record can be carried
// forward without loss.
struct unknown_tagged_field {
  std::uint32_t tag;
  byte_buffer payload;
  bool operator==(const unknown_tagged_field&) const = default;
};

// Message types of one kind, in the order of their api keys.
template <typename... Messages>
struct message_list {
  // One of them, or Other.
  template <typename Other>
  using variant_with = std::variant<Other, Messages...>;
};

}  // namespace ringlog::protocol
