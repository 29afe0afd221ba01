#include "model/config_check.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "model/config_def.h"

// Checks a value by what the table says is valid, in the forms of Kafka's documentation:
//
//   [0,...]   [1,...,9]   [1,...,9] or -1     numbers in a range, or one more value
//   [a, b, c]                                 one of these strings; of a list, each
//   (case insensitive) [A, B]                 one of these strings in any case
//   non-empty string                          as it says
//   [partitionId]:[brokerId],...              * or pairs of numbers
//
// Other texts describe checks of parts that do not exist here; they accept everything.
namespace ringlog::model {
namespace {

error invalid(const config_definition& definition, std::string_view value,
              std::string_view reason) {
  return make_error(error_code::invalid_config, "Invalid value {} for configuration {}: {}", value,
                    definition.name, reason);
}

std::string upper(std::string_view text) {
  std::string all(text);
  for (char& c : all) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return all;
}

struct range {
  std::string_view min;
  std::string_view max;       // "": none
  std::string_view or_value;  // "": none
};

// "[1,...,9] or -1", "[0,...,1]", "[0,...]"
std::optional<range> parse_range(std::string_view valid) {
  const std::size_t dots = valid.find(",...");
  const std::size_t close = valid.find(']');
  if (!valid.starts_with('[') || dots == std::string_view::npos || close < dots) return {};
  range parsed;
  parsed.min = valid.substr(1, dots - 1);
  if (!parse_double(parsed.min)) return {};
  if (valid[dots + 4] == ',') parsed.max = valid.substr(dots + 5, close - dots - 5);
  constexpr std::string_view alternative = "] or ";
  if (valid.substr(close).starts_with(alternative)) {
    parsed.or_value = valid.substr(close + alternative.size());
  }
  return parsed;
}

status check_range(const config_definition& definition, std::string_view value) {
  const auto allowed = parse_range(definition.valid);
  if (!allowed || value == allowed->or_value) return {};
  const double number = *parse_double(value);
  if (number < *parse_double(allowed->min)) {
    return invalid(definition, value, fmt::format("Value must be at least {}", allowed->min));
  }
  if (!allowed->max.empty() && number > *parse_double(allowed->max)) {
    return invalid(definition, value, fmt::format("Value must be no more than {}", allowed->max));
  }
  return {};
}

status check_integer(const config_definition& definition, std::string_view value) {
  const auto [name, min, max] = [&]() -> std::tuple<std::string_view, std::int64_t, std::int64_t> {
    using std::numeric_limits;
    if (definition.type == config_type::int16) {
      return {"SHORT", numeric_limits<std::int16_t>::min(), numeric_limits<std::int16_t>::max()};
    }
    if (definition.type == config_type::int32) {
      return {"INT", numeric_limits<std::int32_t>::min(), numeric_limits<std::int32_t>::max()};
    }
    return {"LONG", numeric_limits<std::int64_t>::min(), numeric_limits<std::int64_t>::max()};
  }();
  const auto number = parse_integer(value);
  if (!number || *number < min || *number > max) {
    return invalid(definition, value, fmt::format("Not a number of type {}", name));
  }
  return check_range(definition, value);
}

status check_string(const config_definition& definition, std::string_view value) {
  constexpr std::string_view any_case = "(case insensitive) ";
  std::string_view valid = definition.valid;
  const bool ignore_case = valid.starts_with(any_case);
  if (ignore_case) valid.remove_prefix(any_case.size());
  if (valid == "non-empty string" && value.empty()) {
    return invalid(definition, value, "String must be non-empty");
  }
  if (!valid.starts_with('[')) return {};
  for (const std::string& item : split_list(valid.substr(1, valid.size() - 2))) {
    if (item == value || (ignore_case && upper(item) == upper(value))) return {};
  }
  return invalid(
      definition, value,
      fmt::format("String must be one of{}: {}", ignore_case ? " (case insensitive)" : "",
                  valid.substr(1, valid.size() - 2)));
}

// "partition:broker" pairs, or "*" for all (Kafka: ThrottledReplicaListValidator).
status check_throttled_replicas(const config_definition& definition, std::string_view value) {
  if (value == "*") return {};
  for (const std::string& item : split_list(value)) {
    const std::size_t colon = item.find(':');
    if (colon == std::string::npos || !parse_integer(item.substr(0, colon)) ||
        !parse_integer(item.substr(colon + 1))) {
      return invalid(definition, value,
                     "It must be the literal '*' or a list of replicas in the following format: "
                     "[partitionId]:[brokerId],[partitionId]:[brokerId],...");
    }
  }
  return {};
}

status check_list(const config_definition& definition, std::string_view value) {
  if (definition.valid.starts_with("[partitionId]")) {
    return check_throttled_replicas(definition, value);
  }
  std::vector<std::string> items = split_list(value);
  for (const std::string& item : items) {
    if (item.empty()) {
      return make_error(error_code::invalid_config, "Configuration '{}' values must not be empty.",
                        definition.name);
    }
    TRY(check_string(definition, item));
  }
  std::sort(items.begin(), items.end());
  if (std::adjacent_find(items.begin(), items.end()) != items.end()) {
    return make_error(error_code::invalid_config,
                      "Configuration '{}' values must not be duplicated.", definition.name);
  }
  return {};
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> parse_double(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || std::isnan(number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string value = upper(text);
  if (value == "TRUE") return true;
  if (value == "FALSE") return false;
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  text = trim(text);
  if (text.empty()) return items;
  for (;;) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.emplace_back(trim(text.substr(0, comma)));
    if (comma == text.size()) return items;
    text.remove_prefix(comma + 1);
  }
}

status check_config_value(const config_definition& definition, std::string_view value) {
  value = trim(value);
  switch (definition.type) {
    case config_type::boolean:
      if (parse_boolean(value)) return {};
      return invalid(definition, value, "Expected value to be either true or false");
    case config_type::int16:
    case config_type::int32:
    case config_type::int64:
      return check_integer(definition, value);
    case config_type::float64:
      if (!parse_double(value)) return invalid(definition, value, "Not a number of type DOUBLE");
      return check_range(definition, value);
    case config_type::list:
      return check_list(definition, value);
    case config_type::string:
    case config_type::class_name:
    case config_type::password:
      return check_string(definition, value);
  }
  return {};
}

}  // namespace ringlog::model
