#include "app/tools/quotas.h"

#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "app/commands.h"

namespace ringlog::app {
namespace {

// What the tools call an entity's type, what the protocol does, and what kafka-configs prints.
struct entity_type {
  std::string_view flag;
  std::string_view name;
  std::string_view shown;
};
constexpr std::array entity_types{
    entity_type{"users", "user", "user-principal"},
    entity_type{"clients", "client-id", "client-id"},
    entity_type{"ips", "ip", "ip"},
};

const entity_type* find_type(std::string_view flag) {
  const auto* found = std::ranges::find(entity_types, flag, &entity_type::flag);
  return found == entity_types.end() ? nullptr : found;
}

// Types in order, each with a name, with its default, or with neither: all of that type.
struct wanted_entity {
  const entity_type* type;
  bool is_all = false;
  std::optional<std::string> name;
};

result<std::vector<wanted_entity>> wanted_of(const entity_arguments& given) {
  std::vector<wanted_entity> wanted;
  for (std::size_t i = 0; i < given.types.size(); ++i) {
    const entity_type* type = find_type(given.types[i]);
    if (type == nullptr) {
      return make_error(error_code::invalid_argument,
                        "--entity-type of quotas is users, clients or ips, not '{}'",
                        given.types[i]);
    }
    const bool is_all = i >= given.names.size();
    wanted.push_back({type, is_all, is_all ? std::nullopt : given.names[i]});
  }
  if (given.names.size() > given.types.size()) {
    return make_error(error_code::invalid_argument, "each --entity-name needs an --entity-type");
  }
  const auto add = [&](std::string_view flag, const auto& name, bool is_default) {
    if (name || is_default) wanted.push_back({find_type(flag), false, name});
  };
  add("users", given.user, given.user_defaults);
  add("clients", given.client, given.client_defaults);
  add("ips", given.ip, given.ip_defaults);
  return wanted;
}

std::string text_of(const broker::quota_entity& entity) {
  std::vector<std::string> parts;
  for (const entity_type& type : entity_types) {
    const auto part =
        std::ranges::find(entity, type.name, &broker::quota_entity::value_type::first);
    if (part == entity.end()) continue;
    parts.push_back(part->second ? fmt::format("{} '{}'", type.shown, *part->second)
                                 : fmt::format("the default {}", type.shown));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// As Java writes it: 2048.0, 12.5.
std::string text_of(double value) {
  return value == std::trunc(value) ? fmt::format("{:.1f}", value) : fmt::format("{}", value);
}

json to_json(const broker::client_quota& quota) {
  json entity = json::object();
  for (const auto& [type, name] : quota.entity) entity[type] = name ? json(*name) : json(nullptr);
  return {{"entity", std::move(entity)}, {"quotas", quota.values}};
}

status describe(const entity_arguments& given, const std::vector<wanted_entity>& wanted,
                cluster& target, const tool_context& to) {
  broker::client_quota_filter filter{.components = {}, .strict = !wanted.empty()};
  for (const wanted_entity& each : wanted) {
    const auto match = each.is_all ? broker::quota_match::any
                       : each.name ? broker::quota_match::exact
                                   : broker::quota_match::type_default;
    filter.components.push_back({std::string(each.type->name), match, each.name});
  }
  TRY_ASSIGN(const auto found, target.quotas(std::move(filter)));
  json all = json::array();
  for (const broker::client_quota& quota : found) {
    all.push_back(to_json(quota));
    if (given.as_json) continue;
    std::vector<std::string> values;
    for (const auto& [name, value] : quota.values) {
      values.push_back(fmt::format("{}={}", name, text_of(value)));
    }
    fmt::print(to.out, "Quota configs for {} are {}\n", text_of(quota.entity),
               fmt::join(values, ", "));
  }
  if (given.as_json) to.print(all);
  return {};
}

result<std::vector<std::pair<std::string, std::optional<double>>>> changes_of(
    const entity_arguments& given) {
  std::vector<std::pair<std::string, std::optional<double>>> changes;
  for (const std::string& each : given.add) {
    TRY_ASSIGN(const auto settings, parse_settings(each));
    for (const auto& [name, text] : settings) {
      double value = 0;
      const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (failed != std::errc() || end != text.data() + text.size()) {
        return make_error(error_code::invalid_argument, "the quota {} is a number, not '{}'", name,
                          text);
      }
      changes.emplace_back(name, value);
    }
  }
  for (const std::string& name : given.remove) changes.emplace_back(name, std::nullopt);
  if (!changes.empty()) return changes;
  return make_error(error_code::invalid_argument,
                    "--add-config or --delete-config says what is to be altered");
}

status alter(const entity_arguments& given, const std::vector<wanted_entity>& wanted,
             cluster& target, const tool_context& to) {
  broker::client_quota_alteration alteration;
  for (const wanted_entity& each : wanted) {
    if (each.is_all) {
      return make_error(error_code::invalid_argument,
                        "--entity-name or --entity-default says which of the {} are meant",
                        each.type->flag);
    }
    alteration.entity.emplace_back(std::string(each.type->name), each.name);
  }
  if (wanted.empty()) {
    return make_error(error_code::invalid_argument, "--entity-type says whose quotas are meant");
  }
  TRY_ASSIGN(alteration.changes, changes_of(given));
  TRY(target.alter_quota(std::move(alteration)));
  if (given.as_json) return {};
  const wanted_entity& first = wanted.front();
  if (first.name) {
    fmt::print(to.out, "Completed updating config for {} {}.\n",
               first.type->flag.substr(0, first.type->flag.size() - 1), *first.name);
  } else {
    fmt::print(to.out, "Completed updating default config for {} in the cluster.\n",
               first.type->flag);
  }
  return {};
}

status run(const entity_arguments& given, const tool_context& to) {
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  return run_quotas(given, target, to);
}

}  // namespace

void declare_entity_options(CLI::App& command, entity_arguments& given) {
  auto* actions = command.add_option_group("actions");
  actions->add_flag("--describe", given.describe, "What was set");
  actions->add_flag("--alter", given.alter, "Set and unset, by --add-config and --delete-config");
  actions->require_option(1);
  command
      .add_option("--entity-type", given.types,
                  "users, clients or ips; users and clients may "
                  "stand together")
      ->allow_extra_args(false);
  // Which name belongs to which type is said by their order alone.
  command
      .add_option_function<std::string>(
          "--entity-name", [&given](const std::string& name) { given.names.emplace_back(name); },
          "Default: all of that type")
      ->trigger_on_parse()
      ->allow_extra_args(false);
  command
      .add_flag_function(
          "--entity-default", [&given](std::int64_t) { given.names.emplace_back(std::nullopt); },
          "What holds for all that have no config of their own")
      ->trigger_on_parse();
  command.add_option("--user", given.user, "--entity-type users --entity-name ...");
  command.add_option("--client", given.client, "--entity-type clients --entity-name ...");
  command.add_option("--ip", given.ip, "--entity-type ips --entity-name ...");
  command.add_flag("--user-defaults", given.user_defaults, "--entity-type users --entity-default");
  command.add_flag("--client-defaults", given.client_defaults,
                   "--entity-type clients --entity-default");
  command.add_flag("--ip-defaults", given.ip_defaults, "--entity-type ips --entity-default");
  command.add_option("--add-config", given.add, "NAME=VALUE,NAME=[VALUE,VALUE]")
      ->allow_extra_args(false);
  command.add_option("--delete-config", given.remove, "NAME,NAME")
      ->delimiter(',')
      ->allow_extra_args(false);
}

bool is_about_quotas(const entity_arguments& given) {
  return given.user || given.client || given.ip || given.user_defaults || given.client_defaults ||
         given.ip_defaults || std::ranges::any_of(given.types, [](const auto& type) {
           return find_type(type) != nullptr;
         });
}

status run_quotas(const entity_arguments& given, cluster& target, const tool_context& to) {
  TRY_ASSIGN(const auto wanted, wanted_of(given));
  return given.alter ? alter(given, wanted, target, to) : describe(given, wanted, target, to);
}

void add_quotas_command(CLI::App& program, int& outcome) {
  add_tool<entity_arguments>(program, outcome, "quotas",
                             "Show and alter quotas of users, clients and addresses, as "
                             "kafka-configs does",
                             declare_entity_options, run);
}

}  // namespace ringlog::app
