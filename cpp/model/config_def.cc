#include "model/config_def.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "model/config_check.h"

namespace ringlog::model {
namespace {

const config_definition* find(std::span<const config_definition> definitions,
                              std::string_view name) {
  const auto found = std::lower_bound(
      definitions.begin(), definitions.end(), name,
      [](const config_definition& left, std::string_view right) { return left.name < right; });
  return found != definitions.end() && found->name == name ? &*found : nullptr;
}

// Levenshtein's distance.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::optional<std::string> default_text(const config_definition& definition) {
  const auto value = definition.default_value();
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

// The value of a broker config in the unit of the topic config. Any negative time means "none".
std::string convert(const std::string& value, std::int64_t factor) {
  if (factor == 1) return value;
  const std::int64_t number = parse_integer(value).value_or(-1);
  if (number < 0) return "-1";
  std::int64_t product = 0;
  if (__builtin_mul_overflow(number, factor, &product)) {
    product = std::numeric_limits<std::int64_t>::max();
  }
  return std::to_string(product);
}

// What a topic gets when it does not say.
std::optional<std::string> inherited(const config_values& broker, const config_definition& topic) {
  for (const topic_config_synonym& synonym : synonyms_of(topic.name)) {
    if (!broker.is_set(synonym.broker_name)) continue;
    return convert(*broker.value(synonym.broker_name), synonym.factor);
  }
  return default_text(topic);
}

status check_together(const config_values& topic) {
  const std::int64_t lag_min = topic.number("min.compaction.lag.ms");
  const std::int64_t lag_max = topic.number("max.compaction.lag.ms");
  if (lag_min > lag_max) {
    return make_error(error_code::invalid_config,
                      "conflict topic config setting min.compaction.lag.ms ({}) > "
                      "max.compaction.lag.ms ({})",
                      lag_min, lag_max);
  }
  if (topic.flag("remote.storage.enable")) {
    return error{error_code::invalid_config,
                 "Tiered Storage functionality is disabled in the broker. Topic cannot be "
                 "configured with remote log storage."};
  }
  return {};
}

}  // namespace

std::optional<std::string_view> config_definition::default_value() const {
  std::string_view text = documented_default;
  if (text == "null" || is_required()) return std::nullopt;
  if (type == config_type::list) return text.substr(1, text.size() - 2);  // [a, b]
  constexpr std::string_view java_class = "class ";
  if (type == config_type::class_name && text.starts_with(java_class)) {
    text.remove_prefix(java_class.size());
  }
  return text;
}

const config_definition* find_topic_config(std::string_view name) {
  return find(topic_configs(), name);
}

const config_definition* find_broker_config(std::string_view name) {
  return find(broker_configs(), name);
}

std::string_view nearest_name(std::span<const config_definition> definitions,
                              std::string_view name) {
  const auto nearest = std::min_element(
      definitions.begin(), definitions.end(), [&](const auto& left, const auto& right) {
        return distance(left.name, name) < distance(right.name, name);
      });
  return nearest != definitions.end() ? nearest->name : std::string_view();
}

std::vector<std::string> unknown_names(std::span<const config_definition> definitions,
                                       const config_map& settings) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : settings) {
    if (find(definitions, name) == nullptr) unknown.push_back(name);
  }
  return unknown;
}

result<config_values> parse_broker_configs(const config_map& settings) {
  config_values parsed;
  for (const config_definition& definition : broker_configs()) {
    parsed.values_.emplace(definition.name, default_text(definition));
  }
  for (const auto& [name, value] : settings) {
    const config_definition* definition = find_broker_config(name);
    if (definition == nullptr) continue;
    TRY(check_config_value(*definition, value));
    parsed.values_.insert_or_assign(name, std::string(trim(value)));
    parsed.set_.emplace(name, trim(value));
  }
  return parsed;
}

result<config_values> parse_topic_configs(const config_values& broker,
                                          const config_map& overrides) {
  config_values parsed;
  for (const config_definition& definition : topic_configs()) {
    parsed.values_.emplace(definition.name, inherited(broker, definition));
  }
  for (const auto& [name, value] : overrides) {
    const config_definition* definition = find_topic_config(name);
    if (definition == nullptr) {
      return make_error(error_code::invalid_config,
                        "Unknown topic config name: {} (the nearest known name is {})", name,
                        nearest_name(topic_configs(), name));
    }
    TRY(check_config_value(*definition, value));
    parsed.values_.insert_or_assign(name, std::string(trim(value)));
    parsed.set_.emplace(name, trim(value));
  }
  TRY(check_together(parsed));
  return parsed;
}

std::vector<std::string> topic_config_warnings(const config_map& overrides) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : overrides) {
    const config_definition* definition = find_topic_config(name);
    if (definition == nullptr) continue;
    std::string_view reason = definition->not_yet;
    const std::vector<std::string> items = split_list(value);
    if (name == "cleanup.policy" &&
        std::find(items.begin(), items.end(), "compact") != items.end()) {
      reason = "compaction is not built yet: all records are kept";
    }
    if (reason.empty()) continue;
    warnings.push_back(
        fmt::format("{}={} is stored but not acted on yet: {}", name, value, reason));
  }
  return warnings;
}

const std::optional<std::string>& config_values::value(std::string_view name) const {
  const auto found = values_.find(name);
  CHECK(found != values_.end(), "no such config:", name);
  return found->second;
}

std::optional<std::int64_t> config_values::optional_number(std::string_view name) const {
  const std::optional<std::string>& held = value(name);
  if (!held) return std::nullopt;
  const auto number = parse_integer(*held);
  CHECK(number.has_value(), "not an integer config:", name);
  return number;
}

std::int64_t config_values::number(std::string_view name) const {
  const auto number = optional_number(name);
  CHECK(number.has_value(), "config is null:", name);
  return *number;
}

bool config_values::flag(std::string_view name) const {
  const auto flag = parse_boolean(text(name));
  CHECK(flag.has_value(), "not a boolean config:", name);
  return *flag;
}

double config_values::fraction(std::string_view name) const {
  const auto fraction = parse_double(text(name));
  CHECK(fraction.has_value(), "not a double config:", name);
  return *fraction;
}

const std::string& config_values::text(std::string_view name) const {
  static const std::string none;
  const std::optional<std::string>& held = value(name);
  return held ? *held : none;
}

std::vector<std::string> config_values::list(std::string_view name) const {
  return split_list(text(name));
}

bool config_values::list_has(std::string_view name, std::string_view item) const {
  const std::vector<std::string> items = list(name);
  return std::find(items.begin(), items.end(), item) != items.end();
}

}  // namespace ringlog::model
