#pragma once

#include <vector>

#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Feature levels of the cluster, altered with Kafka's checks and sentences (KIP-584; Kafka:
// FeatureControlManager). Any thread.
void update_features(const broker_services& outside, node_id_t node,
                     const std::vector<feature_update>& updates, bool validate_only,
                     reply<std::monostate> done);

}  // namespace ringlog::broker
