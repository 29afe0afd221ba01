#pragma once

#include <fmt/format.h>
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace ringlog {

// Kafka's Uuid: 16 bytes, written as 22 characters of base64url without padding.
struct uuid {
  std::array<std::byte, 16> bytes{};

  auto operator<=>(const uuid&) const = default;

  bool is_zero() const { return *this == uuid{}; }

  std::string to_string() const;

  // Accepts exactly the 22 characters that to_string writes.
  static result<uuid> parse(std::string_view text);

  // Version 4, never one of the 100 values that Kafka reserves (Uuid.RESERVED: high bits zero, low
  // bits below 100) and never one whose text starts with '-', which command lines take for a flag.
  static uuid make_random(random_source& random);

  // The k-th reserved value; directory ids use a few (DirectoryId: 0 UNASSIGNED, 1 LOST,
  // 2 MIGRATING).
  static uuid reserved(std::uint8_t number);
};

inline std::size_t hash_value(const uuid& id) {
  std::size_t low;
  std::memcpy(&low, id.bytes.data() + 8, sizeof(low));
  return low;
}

}  // namespace ringlog

template <>
struct std::hash<ringlog::uuid> {
  std::size_t operator()(const ringlog::uuid& id) const { return hash_value(id); }
};

template <>
struct fmt::formatter<ringlog::uuid> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const ringlog::uuid& id, Context& context) const {
    return fmt::formatter<std::string_view>::format(id.to_string(), context);
  }
};
