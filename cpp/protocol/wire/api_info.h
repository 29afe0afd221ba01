#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/message.h"

namespace ringlog::protocol {

// What is known about an API besides its messages; of all of them there is api_table
// (protocol/wire/api_table.h, generated). Kafka: ApiKeys, ApiMessageType.
struct api_info {
  std::string_view name;  // as Kafka's logs and metrics have it, such as "ListOffsets"
  std::int16_t key;
  std::int16_t lowest_version;  // that can be read and written
  std::int16_t highest_version;
  std::int16_t lowest_flexible_version;
  // What ApiVersions says. Produce is advertised from version 0 on, because older librdkafka does
  // not compress otherwise (KAFKA-18659); nothing is advertised if the highest is below the lowest.
  std::int16_t lowest_advertised_version;
  std::int16_t highest_advertised_version;

  constexpr bool has_version(std::int16_t version) const {
    return version >= lowest_version && version <= highest_version;
  }
  constexpr bool is_advertised() const {
    return lowest_advertised_version <= highest_advertised_version;
  }
  constexpr std::int16_t request_header_version(std::int16_t version) const {
    return version >= lowest_flexible_version ? 2 : 1;
  }
  // The answer of ApiVersions (18) can be read by who does not know yet what it may read (KIP-511).
  constexpr std::int16_t response_header_version(std::int16_t version) const {
    return key != 18 && version >= lowest_flexible_version ? 1 : 0;
  }
};

}  // namespace ringlog::protocol
