#pragma once

#include <optional>
#include <vector>

#include "broker/quota_types.h"
#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Client quotas in the metadata, with Kafka's checks and sentences (KIP-546; Kafka:
// ClientQuotaControlManager, ClientQuotasImage). Any thread.
result<std::vector<client_quota>> describe_client_quotas(const broker_services& outside,
                                                         const client_quota_filter& filter);

// Answers per entity in the order given; those that can be altered are, all at once.
void alter_client_quotas(const broker_services& outside,
                         std::vector<client_quota_alteration> wanted, bool validate_only,
                         reply<std::vector<std::optional<error>>> done);

}  // namespace ringlog::broker
