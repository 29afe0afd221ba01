#pragma once

#include <string>
#include <vector>

#include "base/logger_set.h"
#include "broker/types.h"

// Levels of a broker's loggers, as configs of the resource BROKER_LOGGER that is called as the
// broker's id (KIP-412; Kafka: ConfigHelper, RuntimeLoggerManager; Kafka's checks and sentences).
// They act at once, and for as long as the log is open. Any thread.
namespace ringlog::broker {

result<std::vector<config_entry>> describe_loggers(const logger_set& all, node_id_t node,
                                                   const std::string& resource);

// All changes, which check_changes() has seen, or none.
status alter_loggers(logger_set& all, node_id_t node, const std::string& resource,
                     const std::vector<config_alteration>& changes, bool validate_only);

}  // namespace ringlog::broker
