#pragma once

#include <fmt/format.h>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "base/compression_type.h"
#include "base/strong.h"
#include "base/uuid.h"

// Kafka's nouns as types.
namespace ringlog {

using offset_t = strong<struct offset_tag, std::int64_t>;
using leader_epoch_t = strong<struct leader_epoch_tag, std::int32_t>;
using partition_id_t = strong<struct partition_id_tag, std::int32_t>;
using producer_id_t = strong<struct producer_id_tag, std::int64_t>;
using producer_epoch_t = strong<struct producer_epoch_tag, std::int16_t>;
using node_id_t = strong<struct node_id_tag, std::int32_t>;
using file_position_t = strong<struct file_position_tag, std::int64_t>;

inline constexpr offset_t no_offset{-1};
inline constexpr leader_epoch_t no_leader_epoch{-1};
inline constexpr producer_id_t no_producer_id{-1};
inline constexpr producer_epoch_t no_producer_epoch{-1};
inline constexpr std::int32_t no_sequence = -1;
inline constexpr std::int64_t no_timestamp = -1;

struct topic_partition {
  std::string topic;
  partition_id_t partition{0};

  auto operator<=>(const topic_partition&) const = default;

  // The name of its directory: "topic-0".
  std::string to_string() const { return fmt::format("{}-{}", topic, partition); }
};

inline std::size_t hash_value(const topic_partition& tp) {
  return std::hash<std::string>{}(tp.topic) * 31 + std::hash<partition_id_t>{}(tp.partition);
}

enum class isolation_level : std::uint8_t { read_uncommitted = 0, read_committed = 1 };

enum class timestamp_type : std::uint8_t { create_time = 0, log_append_time = 1 };

}  // namespace ringlog

template <>
struct std::hash<ringlog::topic_partition> {
  std::size_t operator()(const ringlog::topic_partition& tp) const { return hash_value(tp); }
};
