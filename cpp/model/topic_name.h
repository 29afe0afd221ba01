#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

// Rules for topic names (Kafka: org.apache.kafka.common.internals.Topic).
namespace ringlog::model {

inline constexpr std::string_view group_metadata_topic = "__consumer_offsets";
inline constexpr std::string_view transaction_state_topic = "__transaction_state";
inline constexpr std::string_view share_group_state_topic = "__share_group_state";
inline constexpr std::string_view cluster_metadata_topic = "__cluster_metadata";

// error_code::invalid_topic in Kafka's words when no topic may be called so.
status validate_topic_name(std::string_view name);

// Topics that clients may read but not write or alter.
bool is_internal_topic(std::string_view name);

// Metric names turn '.' into '_', so two topics that differ only there may not both exist.
bool has_collision_chars(std::string_view name);
bool has_collision(std::string_view left, std::string_view right);

}  // namespace ringlog::model
