#include "app/kafka_listeners.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/letter_case.h"

namespace ringlog::app {
namespace {

constexpr std::string_view kafkas_protocols =
    "PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL";

struct end_point {
  std::string name;  // in capital letters: Kafka does not tell them apart
  io::host_port at;
};

std::string_view value_of(const model::config_map& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string_view() : found->second;
}

result<std::vector<end_point>> parse_end_points(const model::config_map& settings,
                                                const std::string& setting) {
  constexpr std::string_view separator = "://";
  std::vector<end_point> all;
  for (const std::string& one : model::split_list(value_of(settings, setting))) {
    const std::size_t end = one.find(separator);
    const auto at = end == one.npos ? io::host_port::parse("")
                                    : io::host_port::parse(one.substr(end + separator.size()));
    if (!at.ok()) {
      return make_error(error_code::invalid_config, "{}: '{}' is no NAME://HOST:PORT", setting,
                        one);
    }
    const std::string name = upper_case(one.substr(0, end));
    if (std::ranges::find(all, name, &end_point::name) != all.end()) {
      return make_error(error_code::invalid_config, "{}: {} stands there twice", setting, name);
    }
    all.push_back({name, *at});
  }
  return all;
}

// There is neither TLS nor SASL: what was to be protected is not served without.
status check_protocol(const model::config_map& settings, const std::string& listener) {
  std::string_view map = value_of(settings, "listener.security.protocol.map");
  if (map.empty()) map = kafkas_protocols;
  for (const std::string& one : model::split_list(map)) {
    const std::size_t colon = std::min(one.find(':'), one.size());
    if (upper_case(one.substr(0, colon)) != listener) continue;
    if (upper_case(one.substr(colon)) == ":PLAINTEXT") return {};
    return make_error(error_code::unsupported,
                      "listener {} has the protocol '{}': ringlog has PLAINTEXT only", listener,
                      one.substr(std::min(colon + 1, one.size())));
  }
  return make_error(error_code::invalid_config,
                    "listener {} has no protocol in listener.security.protocol.map", listener);
}

bool is_of_controller(const model::config_map& settings, const std::string& listener) {
  const auto names = model::split_list(value_of(settings, "controller.listener.names"));
  return std::ranges::find(names, listener, upper_case) != names.end();
}

result<std::vector<end_point>> listened_on(const model::config_map& settings,
                                           const std::vector<end_point>& advertised) {
  if (!value_of(settings, "listeners").empty()) return parse_end_points(settings, "listeners");
  std::vector<end_point> everywhere = advertised;
  for (end_point& one : everywhere) one.at.host.clear();
  return everywhere;
}

}  // namespace

result<std::vector<node::listener>> listeners_of(const model::config_map& settings) {
  TRY_ASSIGN(const auto advertised, parse_end_points(settings, "advertised.listeners"));
  TRY_ASSIGN(const auto all, listened_on(settings, advertised));
  for (const end_point& one : advertised) {
    if (std::ranges::find(all, one.name, &end_point::name) == all.end()) {
      return make_error(error_code::invalid_config,
                        "advertised.listeners: {} is none of the listeners", one.name);
    }
    if (node::is_wildcard(one.at.host)) {
      return make_error(error_code::invalid_config,
                        "advertised.listeners: clients cannot connect to {}", one.at.host);
    }
  }
  std::vector<node::listener> made;
  for (const end_point& one : all) {
    if (is_of_controller(settings, one.name)) continue;
    TRY(check_protocol(settings, one.name));
    node::listener& added = made.emplace_back();
    added.where = one.at;
    const auto told = std::ranges::find(advertised, one.name, &end_point::name);
    if (told != advertised.end()) added.advertised = told->at;
  }
  if (made.empty() && !all.empty()) {
    return make_error(error_code::invalid_config, "listeners: all are the controller's");
  }
  return made;
}

}  // namespace ringlog::app
