#pragma once

#include <span>

#include "model/config_def.h"

namespace ringlog::model {

// Configs of a group (Kafka: GroupConfig). The default of one is the broker's config of the same
// name with "group." before it.
std::span<const config_definition> group_configs();

// Configs of a subscription to the metrics of clients (KIP-714; Kafka: ClientMetricsConfigs).
std::span<const config_definition> client_metrics_configs();

}  // namespace ringlog::model
