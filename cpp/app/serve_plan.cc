#include "app/serve_plan.h"

#include <fmt/ranges.h>

#include "app/kafka_environment.h"
#include "app/kafka_listeners.h"
#include "base/limits.h"
#include "base/properties.h"
#include "io/posix_file_system.h"
#include "node/address.h"

namespace ringlog::app {
namespace {

constexpr std::string_view default_data = "data";
constexpr std::string_view default_listener = "localhost:9092";

result<model::config_map> settings_of_command_line(const std::vector<std::string>& given) {
  model::config_map settings;
  for (const std::string& one : given) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) {
      return make_error(error_code::invalid_argument, "--set {}: write NAME=VALUE", one);
    }
    settings.insert_or_assign(one.substr(0, equals), one.substr(equals + 1));
  }
  TRY(node::check_setting_names(settings));
  return settings;
}

result<model::config_map> settings_of_file(const std::string& path) {
  io::posix_file_system disk;
  TRY_ASSIGN(const byte_buffer content, io::read_file(disk, path, limits::settings_bytes_max));
  return parse_properties(as_text(content));
}

// Beneath what the plan has already.
void add_settings(serve_plan& plan, model::config_map weaker, std::string_view where) {
  const auto unknown = model::unknown_names(model::broker_configs(), weaker);
  for (const std::string& name : unknown) weaker.erase(name);
  plan.settings.merge(std::move(weaker));
  if (unknown.empty()) return;
  plan.warnings.push_back(
      fmt::format("{}: left out, because they are no broker settings of Kafka "
                  "4.3: {}",
                  where, fmt::join(unknown, ", ")));
}

// Kafka prefers log.dirs to log.dir, too.
result<std::string> data_of(const serve_arguments& given, const model::config_map& settings) {
  if (given.data) return *given.data;
  for (const char* name : {"log.dirs", "log.dir"}) {
    const auto found = settings.find(name);
    if (found == settings.end()) continue;
    const auto directories = model::split_list(found->second);
    if (directories.size() == 1) return directories.front();
    return make_error(error_code::unsupported,
                      "{}={}: ringlog keeps its log in one directory, no more and no less", name,
                      found->second);
  }
  return std::string(default_data);
}

std::string address_of(const std::string& data) {
  const bool is_address = data.starts_with("file:") || data.starts_with("memory:");
  return is_address ? data : "file:" + data;
}

// A port alone is for this machine only.
result<io::host_port> http_place_of(const std::string& given) {
  const bool is_port = given.find(':') == std::string::npos;
  return io::host_port::parse(is_port ? fmt::format("localhost:{}", given) : given);
}

result<node::serving_options> serving_of(const serve_arguments& given,
                                         const model::config_map& settings) {
  node::serving_options options;
  options.nodes = given.nodes;
  if (given.listen.empty()) {
    TRY_ASSIGN(options.listeners, listeners_of(settings));
  }
  std::vector<std::string> named = given.listen;
  if (named.empty() && options.listeners.empty()) named.emplace_back(default_listener);
  for (const std::string& one : named) {
    TRY_ASSIGN(options.listeners.emplace_back().where, io::host_port::parse(one));
  }
  if (given.http) {
    TRY_ASSIGN(options.http, http_place_of(*given.http));
  }
  if (!given.advertise) return options;
  TRY_ASSIGN(const io::host_port advertised, io::host_port::parse(*given.advertise));
  for (node::listener& one : options.listeners) one.advertised = advertised;
  return options;
}

}  // namespace

result<serve_plan> plan_to_serve(const serve_arguments& given,
                                 const std::vector<std::string>& environment) {
  serve_plan plan;
  TRY_ASSIGN(plan.settings, settings_of_command_line(given.settings));
  if (given.data) {
    TRY_ASSIGN(node::log_address address, node::parse_address(address_of(*given.data)));
    plan.settings.merge(std::move(address.settings));
  }
  add_settings(plan, settings_of_environment(environment), "environment");
  if (given.config_file) {
    TRY_ASSIGN(model::config_map file, settings_of_file(*given.config_file));
    add_settings(plan, std::move(file), *given.config_file);
  }
  TRY_ASSIGN(const std::string data, data_of(given, plan.settings));
  plan.address = address_of(data);
  TRY_ASSIGN(plan.serving, serving_of(given, plan.settings));
  if (given.nodes > 1) {
    plan.warnings.push_back(
        fmt::format("clients see {} brokers where there is one: there is one copy of the data, "
                    "whatever replication factors say",
                    given.nodes));
  }
  return plan;
}

}  // namespace ringlog::app
