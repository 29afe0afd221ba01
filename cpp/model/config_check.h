#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// How config values are read (Kafka: ConfigDef.parseType, with Java's rules for numbers).
namespace ringlog::model {

std::string_view trim(std::string_view text);

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_double(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);

}  // namespace ringlog::model
