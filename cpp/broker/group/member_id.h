#pragma once

#include <fmt/format.h>
#include <string>
#include <string_view>

#include "base/endian.h"
#include "base/random.h"
#include "base/uuid.h"

namespace ringlog::broker {

// A member id as Kafka makes it (ClassicGroup.generateMemberId): the client's id or the static
// member's instance, a hyphen, and a random UUID in Java's notation.
inline std::string make_member_id(std::string_view prefix, random_source& random) {
  // With the rest it has to fit into a stored text, of at most 32,767 bytes.
  constexpr std::size_t prefix_bytes_max = 32'000;
  prefix = prefix.substr(0, prefix_bytes_max);
  const uuid unique = uuid::make_random(random);
  const auto high = load_be<std::uint64_t>(unique.bytes.data());
  const auto low = load_be<std::uint64_t>(unique.bytes.data() + 8);
  return fmt::format("{}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", prefix, high >> 32,
                     (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & 0xffff'ffff'ffff);
}

}  // namespace ringlog::broker
