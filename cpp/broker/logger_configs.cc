#include "broker/logger_configs.h"

#include "base/parse.h"

namespace ringlog::broker {
namespace {

error not_supported(const std::string& logger, const std::string& level) {
  return make_error(error_code::invalid_config,
                    "Cannot set the log level of {} to {} as it is not a supported log level. "
                    "Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
                    logger, level);
}

status check_alterable(node_id_t node, const std::string& resource) {
  const auto id = parse_integer<std::int32_t>(resource);
  if (!id) {
    return make_error(error_code::invalid_argument, "Node id must be an integer, but it is: {}",
                      resource);
  }
  if (node_id_t(*id) == node) return {};
  return make_error(error_code::invalid_argument,
                    "Unexpected node id. Expected {}, but received {}", node, *id);
}

status check(const logger_set& all, const config_alteration& change) {
  const bool sets = change.operation == alter_operation::set;
  if (!sets && change.operation != alter_operation::remove) {
    return make_error(error_code::invalid_argument,
                      "{} operation is not allowed for the BROKER_LOGGER resource",
                      change.operation == alter_operation::append ? "APPEND" : "SUBTRACT");
  }
  if (!all.levels().contains(change.name)) {
    return make_error(error_code::invalid_config, "Logger {} does not exist!", change.name);
  }
  if (sets && !parse_logger_level(*change.value)) return not_supported(change.name, *change.value);
  if (sets || change.name != logger_names::root) return {};
  return error{error_code::invalid_argument,
               "Removing the log level of the root logger is not allowed"};
}

}  // namespace

result<std::vector<config_entry>> describe_loggers(const logger_set& all, node_id_t node,
                                                   const std::string& resource) {
  if (resource.empty()) {
    return error{error_code::invalid_argument, "Broker id must not be empty"};
  }
  const auto id = parse_integer<std::int32_t>(resource);
  if (!id) {
    return make_error(error_code::invalid_argument, "Broker id must be an integer, but it is: {}",
                      resource);
  }
  if (node_id_t(*id) != node) {
    return make_error(error_code::invalid_argument,
                      "Unexpected broker id, expected {} but received {}", node, *id);
  }
  std::vector<config_entry> entries;
  for (const auto& [name, level] : all.levels()) {
    config_entry& entry = entries.emplace_back();
    entry.name = name;
    entry.value = name_of(level);
    entry.source = config_source::dynamic_broker_logger_config;
  }
  return entries;
}

status alter_loggers(logger_set& all, node_id_t node, const std::string& resource,
                     const std::vector<config_alteration>& changes, bool validate_only) {
  TRY(check_alterable(node, resource));
  for (const config_alteration& change : changes) TRY(check(all, change));
  if (validate_only) return {};
  for (const config_alteration& change : changes) {
    const bool sets = change.operation == alter_operation::set;
    all.set_level(change.name, sets ? parse_logger_level(*change.value) : std::nullopt);
  }
  return {};
}

}  // namespace ringlog::broker
