#pragma once

#include <optional>
#include <vector>

#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// What lies in the log directory, as metadata knows it (DescribeLogDirs; Kafka:
// ReplicaManager.describeLogDirs). Measured where blocking work is done; any thread.
void describe_log_directory(const broker_services& outside,
                            const std::optional<std::vector<topic_partition>>& asked,
                            reply<log_directory_description> done);

}  // namespace ringlog::broker
