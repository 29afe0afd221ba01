#pragma once

#include <string>
#include <vector>

#include "model/config_def.h"

namespace ringlog::app {

// Broker settings out of environment variables ("NAME=VALUE"), as the usual container images of
// Kafka take them: KAFKA_LOG_RETENTION_MS is log.retention.ms; of several underscores two mean one
// and three a dash. KAFKA_CFG_ is a prefix, too. Variables that those images take for the Java
// machine are left out; names that are no setting are not.
model::config_map settings_of_environment(const std::vector<std::string>& variables);

}  // namespace ringlog::app
