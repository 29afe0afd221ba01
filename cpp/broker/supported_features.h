#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ringlog::broker {

// Feature levels that we can do (KIP-584). Those that end at 0 are Kafka's features that are not
// here: what a directory says of them stays as it is, and clients hear that they are off.
struct supported_feature {
  std::string_view name;
  std::int16_t lowest;
  std::int16_t highest;
};

inline constexpr std::array supported_features{
    supported_feature{"group.version", 0, 1},
    supported_feature{"kraft.version", 0, 1},
    supported_feature{"metadata.version", 7, 30},
    supported_feature{"transaction.version", 0, 0},
};

}  // namespace ringlog::broker
