#include "broker/stored_configs.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "broker/config_change.h"
#include "model/config_check.h"
#include "model/resource_configs.h"

namespace ringlog::broker {
namespace {

std::span<const model::config_definition> definitions_of(resource_type type) {
  return type == resource_type::group ? model::group_configs() : model::client_metrics_configs();
}

const model::config_definition* find_definition(resource_type type, std::string_view name) {
  const auto all = definitions_of(type);
  const auto found = std::ranges::find(all, name, &model::config_definition::name);
  return found == all.end() ? nullptr : &*found;
}

metadata::config_resource to_stored(const config_resource& resource) {
  return {static_cast<metadata::config_resource_type>(resource.type), resource.name};
}

model::config_map values_of(const metadata::image& image, const config_resource& resource) {
  const auto& stored = image.configs_of(to_stored(resource));
  return {stored.begin(), stored.end()};
}

error unknown_name(resource_type type, std::string_view name) {
  if (type == resource_type::group) {
    return make_error(error_code::invalid_config, "Unknown group config name: {}", name);
  }
  return make_error(error_code::invalid_argument, "Unknown client metrics configuration: {}", name);
}

status check_interval(std::string_view text) {
  constexpr std::int64_t interval_ms_min = 100;
  constexpr std::int64_t interval_ms_max = 3'600'000;
  const auto value = model::parse_integer(text);
  if (value && *value >= interval_ms_min && *value <= interval_ms_max) return {};
  return make_error(error_code::invalid_argument,
                    "Invalid value {} for interval.ms, interval must be between {} and {} (1 hour)",
                    text, interval_ms_min, interval_ms_max);
}

// NAME=PATTERN, of the names that a client says of itself (KIP-714).
status check_match(std::string_view text) {
  constexpr std::array<std::string_view, 5> names{"client_instance_id", "client_id",
                                                  "client_software_name", "client_software_version",
                                                  "client_source_address"};
  for (const std::string& one : model::split_list(text)) {
    const std::size_t equals = one.find('=');
    const std::string_view name = model::trim(std::string_view(one).substr(0, equals));
    const bool is_known =
        std::ranges::find(names, name) != names.end() || name == "client_source_port";
    if (equals != std::string::npos && is_known && equals + 1 < one.size()) continue;
    return make_error(error_code::invalid_config, "Illegal client matching pattern: {}", one);
  }
  return {};
}

}  // namespace

// Most of a group's defaults are the broker's configs, called "group." and its name.
config_synonym stored_configs::default_of(resource_type type, std::string_view name) const {
  const std::string broker_name = fmt::format("group.{}", name);
  if (type == resource_type::group && model::find_broker_config(broker_name) != nullptr) {
    return {broker_name, broker_.value(broker_name).value_or(""), config_source::default_config};
  }
  const std::string_view value = find_definition(type, name)->default_value().value_or("");
  return {std::string(name), std::string(value), config_source::default_config};
}

result<std::vector<config_entry>> stored_configs::describe(const config_resource& resource) const {
  const bool is_group = resource.type == resource_type::group;
  if (resource.name.empty()) {
    return error{error_code::invalid_argument,
                 is_group ? "Group name must not be empty"
                          : "Client metrics subscription name must not be empty"};
  }
  const auto image = outside_.controller.published();
  const model::config_map set = values_of(*image, resource);
  std::vector<config_entry> entries;
  for (const model::config_definition& definition : definitions_of(resource.type)) {
    config_entry entry;
    entry.name = definition.name;
    entry.type = static_cast<std::int8_t>(definition.type);
    entry.documentation = definition.documentation;
    const config_synonym preset = default_of(resource.type, definition.name);
    config_synonym effective = preset;
    if (const auto own = set.find(entry.name); own != set.end()) {
      effective = {entry.name, own->second,
                   is_group ? config_source::group_config : config_source::client_metrics_config};
      entry.synonyms.push_back(effective);
    }
    if (is_group) entry.synonyms.push_back(preset);  // Kafka shows none for client metrics
    entry.value = effective.value;
    entry.source = effective.source;
    entries.push_back(std::move(entry));
  }
  return entries;
}

// Within the bounds that the broker's configs set.
status stored_configs::check_group(const model::config_map& values) const {
  for (const auto& [name, value] : values) {
    const auto* definition = find_definition(resource_type::group, name);
    if (definition == nullptr) continue;  // another Kafka's
    TRY(model::check_config_value(*definition, value));
    if (!name.starts_with("consumer.")) continue;
    const std::string_view rest =
        std::string_view(name).substr(std::string_view("consumer.").size());
    const std::int64_t number = model::parse_integer(value).value_or(0);
    const std::string least = fmt::format("group.consumer.min.{}", rest);
    const std::string most = fmt::format("group.consumer.max.{}", rest);
    if (number < broker_.number(least)) {
      return make_error(error_code::invalid_config, "{} must be greater than or equal to {}", name,
                        least);
    }
    if (number > broker_.number(most)) {
      return make_error(error_code::invalid_config, "{} must be less than or equal to {}", name,
                        most);
    }
  }
  const auto effective = [&](const std::string& name) {
    const auto own = values.find(name);
    const std::string text =
        own == values.end() ? *default_of(resource_type::group, name).value : own->second;
    return model::parse_integer(text).value_or(0);
  };
  if (effective("consumer.session.timeout.ms") > effective("consumer.heartbeat.interval.ms")) {
    return {};
  }
  return make_error(error_code::invalid_config,
                    "consumer.session.timeout.ms must be greater than "
                    "consumer.heartbeat.interval.ms");
}

status stored_configs::check(const config_resource& resource,
                             const model::config_map& values) const {
  if (resource.type == resource_type::group) return check_group(values);
  const auto interval = values.find("interval.ms");
  if (interval != values.end()) TRY(check_interval(interval->second));
  const auto match = values.find("match");
  if (match != values.end()) TRY(check_match(match->second));
  return {};
}

void stored_configs::alter(const config_resource& resource,
                           const std::vector<config_alteration>& changes, bool validate_only,
                           reply<std::monostate> done) const {
  if (resource.name.empty()) {
    return done(error{error_code::invalid_argument, resource.type == resource_type::group
                                                        ? "Default group resources are not allowed."
                                                        : "Subscription name can't be empty"});
  }
  const auto image = outside_.controller.published();
  model::config_map values = values_of(*image, resource);
  std::set<std::string> names;
  for (const config_alteration& change : changes) {
    names.insert(change.name);
    // No config of groups is a list, and Kafka takes none of client metrics for one here.
    const status applied = find_definition(resource.type, change.name) == nullptr
                               ? unknown_name(resource.type, change.name)
                               : apply(change, std::nullopt, values);
    if (!applied.ok()) return done(applied.failure());
  }
  const status checked = check(resource, values);
  if (!checked.ok()) return done(checked.failure());
  if (validate_only) return done(std::monostate());
  std::vector<metadata::config_change> stored;
  for (const std::string& name : names) {
    const auto value = values.find(name);
    stored.emplace_back(name, value == values.end() ? std::nullopt : std::optional(value->second));
  }
  outside_.controller.alter_configs(to_stored(resource), std::move(stored),
                                    [done = std::move(done)](const status& altered) mutable {
                                      if (!altered.ok()) return done(altered.failure());
                                      done(std::monostate());
                                    });
}

}  // namespace ringlog::broker
