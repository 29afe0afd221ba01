#include "app/kafka_environment.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/letter_case.h"

namespace ringlog::app {
namespace {

constexpr std::array<std::string_view, 2> prefixes = {"KAFKA_CFG_", "KAFKA_"};

constexpr std::array<std::string_view, 13> of_the_java_machine = {
    "KAFKA_DEBUG",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_HOME",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_OPTS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
};

std::string setting_name(std::string_view variable) {
  constexpr std::string_view by_underscores[] = {"", ".", "_", "-"};
  std::string name;
  while (!variable.empty()) {
    const std::size_t others = std::min(variable.find('_'), variable.size());
    name += lower_case(variable.substr(0, others));
    variable.remove_prefix(others);
    const std::size_t end = std::min(variable.find_first_not_of('_'), variable.size());
    const std::size_t underscores = std::min<std::size_t>(end, 3);
    name += by_underscores[underscores];
    variable.remove_prefix(underscores);
  }
  return name;
}

}  // namespace

model::config_map settings_of_environment(const std::vector<std::string>& variables) {
  model::config_map settings;
  for (const std::string_view one : variables) {
    const std::size_t equals = one.find('=');
    if (equals == one.npos) continue;
    const std::string_view name = one.substr(0, equals);
    const auto prefix = std::ranges::find_if(
        prefixes, [&](std::string_view with) { return name.starts_with(with); });
    if (prefix == prefixes.end() || std::ranges::binary_search(of_the_java_machine, name)) continue;
    settings[setting_name(name.substr(prefix->size()))] = one.substr(equals + 1);
  }
  return settings;
}

}  // namespace ringlog::app
