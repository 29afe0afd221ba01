#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include "app/commands.h"
#include "app/tools/quotas.h"

namespace ringlog::app {
namespace {

struct configs_arguments : entity_arguments {
  bool all = false;
  std::string topic;
  std::string broker;
  bool broker_defaults = false;
  std::string broker_logger;
  std::string group;
};

void declare(CLI::App& command, configs_arguments& given) {
  declare_entity_options(command, given);
  command.get_option("--entity-type")
      ->description("topics, brokers, broker-loggers, groups, users, clients, ips");
  command.add_flag("--all", given.all, "Defaults, too");
  command.add_option("--topic", given.topic, "--entity-type topics --entity-name ...");
  command.add_option("--broker", given.broker, "--entity-type brokers --entity-name ...");
  command.add_flag("--broker-defaults", given.broker_defaults,
                   "--entity-type brokers --entity-default");
  command.add_option("--broker-logger", given.broker_logger,
                     "--entity-type broker-loggers --entity-name ...");
  command.add_option("--group", given.group, "--entity-type groups --entity-name ...");
}

// What is meant by the short forms, too.
struct entity {
  broker::resource_type type;
  std::optional<std::string> name;  // none: all; "" of a broker: what holds for all brokers
};

result<broker::resource_type> type_of(const std::string& text) {
  if (text == "topics") return broker::resource_type::topic;
  if (text == "brokers") return broker::resource_type::broker;
  if (text == "broker-loggers") return broker::resource_type::broker_logger;
  if (text == "groups") return broker::resource_type::group;
  return make_error(error_code::invalid_argument,
                    "--entity-type is topics, brokers, broker-loggers, groups, users, clients or "
                    "ips, not '{}'",
                    text);
}

result<entity> entity_of(const configs_arguments& given) {
  if (!given.topic.empty()) return entity{broker::resource_type::topic, given.topic};
  if (!given.broker.empty()) return entity{broker::resource_type::broker, given.broker};
  if (given.broker_defaults) return entity{broker::resource_type::broker, ""};
  if (!given.broker_logger.empty()) {
    return entity{broker::resource_type::broker_logger, given.broker_logger};
  }
  if (!given.group.empty()) return entity{broker::resource_type::group, given.group};
  if (given.types.size() != 1 || given.names.size() > 1) {
    return make_error(error_code::invalid_argument, "one --entity-type says whose configs, {} do",
                      given.types.size());
  }
  TRY_ASSIGN(const auto type, type_of(given.types.front()));
  if (given.names.empty()) return entity{type, std::nullopt};
  if (given.names.front()) return entity{type, given.names.front()};
  if (type == broker::resource_type::broker) return entity{type, ""};
  return make_error(error_code::invalid_argument, "only brokers have --entity-default");
}

std::string_view kind_of(broker::resource_type type) {
  switch (type) {
    case broker::resource_type::topic:
      return "topic";
    case broker::resource_type::broker:
      return "broker";
    case broker::resource_type::broker_logger:
      return "broker-logger";
    default:
      return "group";
  }
}

std::string_view name_of(broker::config_source source) {
  switch (source) {
    case broker::config_source::topic_config:
      return "DYNAMIC_TOPIC_CONFIG";
    case broker::config_source::dynamic_broker_config:
      return "DYNAMIC_BROKER_CONFIG";
    case broker::config_source::dynamic_default_broker_config:
      return "DYNAMIC_DEFAULT_BROKER_CONFIG";
    case broker::config_source::static_broker_config:
      return "STATIC_BROKER_CONFIG";
    case broker::config_source::default_config:
      return "DEFAULT_CONFIG";
    case broker::config_source::dynamic_broker_logger_config:
      return "DYNAMIC_BROKER_LOGGER_CONFIG";
    case broker::config_source::client_metrics_config:
      return "DYNAMIC_CLIENT_METRICS_CONFIG";
    case broker::config_source::group_config:
      return "DYNAMIC_GROUP_CONFIG";
  }
  return "UNKNOWN";
}

// Set on the entity itself.
bool is_own(const broker::config_entry& entry, const entity& of) {
  switch (entry.source) {
    case broker::config_source::topic_config:
    case broker::config_source::group_config:
    case broker::config_source::dynamic_broker_config:
    case broker::config_source::dynamic_broker_logger_config:
      return true;
    case broker::config_source::dynamic_default_broker_config:
      return of.type == broker::resource_type::broker && of.name == "";
    default:
      return false;
  }
}

json to_json(const broker::config_entry& entry) {
  json shown = {{"name", entry.name}, {"value", nullptr}};
  if (entry.value) shown["value"] = *entry.value;
  shown["sensitive"] = entry.sensitive;
  shown["source"] = name_of(entry.source);
  return shown;
}

// As kafka-configs prints it.
void print(const broker::config_entry& entry, std::ostream& out) {
  std::vector<std::string> synonyms;
  for (const auto& each : entry.synonyms) {
    synonyms.push_back(
        fmt::format("{}:{}={}", name_of(each.source), each.name, each.value.value_or("null")));
  }
  fmt::print(out, "  {}={} sensitive={} synonyms={{{}}}\n", entry.name,
             entry.value.value_or("null"), entry.sensitive, fmt::join(synonyms, ", "));
}

result<std::vector<std::string>> names_of(const entity& wanted, cluster& target) {
  if (wanted.name) return std::vector{*wanted.name};
  std::vector<std::string> names;
  if (wanted.type == broker::resource_type::topic) {
    TRY_ASSIGN(const auto topics, target.topics());
    for (const auto& topic : topics) names.push_back(topic.name);
  } else if (wanted.type == broker::resource_type::broker) {
    TRY_ASSIGN(const auto described, target.description());
    for (const auto& node : described.nodes) names.push_back(fmt::format("{}", node.id));
    names.emplace_back();
  } else if (wanted.type == broker::resource_type::broker_logger) {
    return make_error(error_code::invalid_argument, "--entity-name says which broker's loggers");
  } else {
    TRY_ASSIGN(const auto groups, target.groups());
    for (const auto& group : groups) names.push_back(group.group);
  }
  return names;
}

std::string heading(const entity& of, bool all) {
  const std::string_view kind = kind_of(of.type);
  if (of.name == "") return fmt::format("Default configs for {}s in the cluster are:", kind);
  return fmt::format("{} configs for {} {} are:", all ? "All" : "Dynamic", kind, *of.name);
}

status describe(const configs_arguments& given, const entity& wanted, cluster& target,
                const tool_context& to) {
  TRY_ASSIGN(const auto names, names_of(wanted, target));
  json all = json::array();
  for (const std::string& name : names) {
    const entity one{wanted.type, name};
    TRY_ASSIGN(const auto entries, target.configs({.type = one.type, .name = name}));
    json shown = {{"type", kind_of(one.type)}, {"name", name}, {"configs", json::array()}};
    if (!given.as_json) fmt::print(to.out, "{}\n", heading(one, given.all));
    for (const auto& entry : entries) {
      if (!given.all && !is_own(entry, one)) continue;
      shown["configs"].push_back(to_json(entry));
      if (!given.as_json) print(entry, to.out);
    }
    all.push_back(std::move(shown));
  }
  if (given.as_json) to.print(all);
  return {};
}

status alter(const configs_arguments& given, const entity& wanted, cluster& target,
             const tool_context& to) {
  if (!wanted.name) {
    return make_error(error_code::invalid_argument, "--entity-name says whose configs are meant");
  }
  std::vector<broker::config_alteration> changes;
  for (const std::string& each : given.add) {
    TRY_ASSIGN(const auto settings, parse_settings(each));
    for (const auto& [name, value] : settings) {
      changes.push_back({name, value, broker::alter_operation::set});
    }
  }
  for (const std::string& name : given.remove) {
    changes.push_back({name, std::nullopt, broker::alter_operation::remove});
  }
  if (changes.empty()) {
    return make_error(error_code::invalid_argument,
                      "--add-config or --delete-config says what is to be altered");
  }
  TRY(target.alter_configs({.type = wanted.type, .name = *wanted.name}, std::move(changes)));
  if (given.as_json) return {};
  const std::string_view kind = kind_of(wanted.type);
  if (wanted.name->empty()) {
    fmt::print(to.out, "Completed updating default config for {}s in the cluster.\n", kind);
  } else {
    fmt::print(to.out, "Completed updating config for {} {}.\n", kind, *wanted.name);
  }
  return {};
}

status run(const configs_arguments& given, const tool_context& to) {
  if (is_about_quotas(given)) {
    TRY_ASSIGN(cluster target, cluster::open(given, false));
    return run_quotas(given, target, to);
  }
  TRY_ASSIGN(const entity wanted, entity_of(given));
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  return given.alter ? alter(given, wanted, target, to) : describe(given, wanted, target, to);
}

}  // namespace

void add_configs_command(CLI::App& program, int& outcome) {
  add_tool<configs_arguments>(program, outcome, "configs",
                              "Show and alter configs of topics, brokers, groups and clients, as "
                              "kafka-configs does",
                              declare, run);
}

}  // namespace ringlog::app
