#pragma once

#include <vector>

#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Configs of groups and of subscriptions to clients' metrics, which metadata keeps by name whether
// there is a group of that name or not (Kafka: GroupConfigManager, ClientMetricsManager,
// ConfigHelper; Kafka's checks and sentences). Any thread.
class stored_configs {
 public:
  static bool has(resource_type type) {
    return type == resource_type::group || type == resource_type::client_metrics;
  }

  // `broker` is what the defaults of groups, and the bounds of what they may set, come from.
  stored_configs(const broker_services& outside, const model::config_values& broker)
      : outside_(outside), broker_(broker) {}

  result<std::vector<config_entry>> describe(const config_resource& resource) const;

  void alter(const config_resource& resource, const std::vector<config_alteration>& changes,
             bool validate_only, reply<std::monostate> done) const;

 private:
  status check(const config_resource& resource, const model::config_map& values) const;
  status check_group(const model::config_map& values) const;
  config_synonym default_of(resource_type type, std::string_view name) const;

  const broker_services& outside_;
  const model::config_values& broker_;
};

}  // namespace ringlog::broker
