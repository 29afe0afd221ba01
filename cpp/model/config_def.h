#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "base/result.h"

// Kafka's configs: names, types, defaults and checks of version 4.3 (Kafka: ConfigDef, LogConfig,
// KafkaConfig). The tables are topic_configs.cc and broker_configs.cc, one line per config.
namespace ringlog::model {

// DescribeConfigsResponse.ConfigType
enum class config_type : std::int8_t {
  boolean = 1,
  string = 2,
  int32 = 3,
  int16 = 4,
  int64 = 5,
  float64 = 6,
  list = 7,
  class_name = 8,
  password = 9,
};

enum class config_importance : std::int8_t { high, medium, low };

struct config_definition {
  std::string_view name;
  config_type type;
  // As Kafka's documentation writes them: "null", "(required)", "[delete]"; "[0,...]", "[a, b]".
  std::string_view documented_default;
  std::string_view valid;
  config_importance importance;
  std::string_view documentation;  // one line
  // Why setting it changes nothing yet; "" for what acts.
  std::string_view not_yet;

  // As it would stand in a properties file; none for null and where the user has to give one.
  std::optional<std::string_view> default_value() const;
  bool is_required() const { return documented_default == "(required)"; }
  bool is_sensitive() const { return type == config_type::password; }
};

// A broker config that is the default of a topic config, with what turns its unit into the topic
// config's (hours to milliseconds).
struct topic_config_synonym {
  std::string_view broker_name;
  std::int64_t factor = 1;
};

std::span<const config_definition> topic_configs();   // by name
std::span<const config_definition> broker_configs();  // by name

const config_definition* find_topic_config(std::string_view name);
const config_definition* find_broker_config(std::string_view name);

// In order of precedence (Kafka: ServerTopicConfigSynonyms).
std::span<const topic_config_synonym> synonyms_of(std::string_view topic_config);

// The known name that looks most like `name`, for "did you mean".
std::string_view nearest_name(std::span<const config_definition> definitions,
                              std::string_view name);

// error_code::invalid_config in Kafka's words: "Invalid value x for configuration y: ...".
status check_config_value(const config_definition& definition, std::string_view value);

using config_map = std::map<std::string, std::string>;  // by name, as text

// A complete set of effective values, one per definition, all checked. Immutable; any thread.
class config_values {
 public:
  // Names and types are the program's own; a wrong one is a CHECK. A null number is `none`.
  bool flag(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
  std::optional<std::int64_t> optional_number(std::string_view name) const;
  double fraction(std::string_view name) const;
  const std::string& text(std::string_view name) const;  // "" for null
  std::vector<std::string> list(std::string_view name) const;
  bool list_has(std::string_view name, std::string_view item) const;

  // The text form; none for null.
  const std::optional<std::string>& value(std::string_view name) const;
  // True when it differs from the default because someone set it.
  bool is_set(std::string_view name) const { return set_.contains(std::string(name)); }
  const config_map& set_values() const { return set_; }

 private:
  friend result<config_values> parse_broker_configs(const config_map& settings);
  friend result<config_values> parse_topic_configs(const config_values& broker,
                                                   const config_map& overrides);

  text_map<std::optional<std::string>> values_;
  config_map set_;
};

// Effective values of a broker. Unknown names are left out: unknown_names() tells them.
result<config_values> parse_broker_configs(const config_map& settings);

// Effective values of a topic: its own, else the broker's synonyms that are set, else the default.
// error_code::invalid_config for an unknown name ("Unknown topic config name: x"), a bad value, or
// values that contradict each other.
result<config_values> parse_topic_configs(const config_values& broker, const config_map& overrides);

std::vector<std::string> unknown_names(std::span<const config_definition> definitions,
                                       const config_map& settings);

// Sentences about topic configs that are stored and shown but change nothing yet.
std::vector<std::string> topic_config_warnings(const config_map& overrides);

// "a, b ,c" -> a b c; "" -> nothing.
std::vector<std::string> split_list(std::string_view text);

}  // namespace ringlog::model
