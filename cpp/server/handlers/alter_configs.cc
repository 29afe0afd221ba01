#include "base/hash_map.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using asked_resource = protocol::alter_configs_request::resource;

// Set on the resource itself, by a client.
bool is_set_on(const broker::config_resource& resource, const broker::config_entry& entry) {
  switch (resource.type) {
    case broker::resource_type::topic:
      return entry.source == broker::config_source::topic_config;
    case broker::resource_type::broker:
      return entry.source == (resource.name.empty()
                                  ? broker::config_source::dynamic_default_broker_config
                                  : broker::config_source::dynamic_broker_config);
    default:
      return false;
  }
}

// What makes of the resource's settings those that are named, and no others.
result<std::vector<broker::config_alteration>> changes_to(const alter_configs_call& call,
                                                          const broker::config_resource& resource,
                                                          const asked_resource& asked) {
  if (resource.type == broker::resource_type::broker_logger) {
    return error{error_code::invalid_argument, "Unknown resource type 8"};  // as Kafka says it
  }
  TRY_ASSIGN(const auto entries, call->core().describe_configs(resource));
  std::vector<broker::config_alteration> changes;
  hash_set<std::string_view> named;
  for (const auto& config : asked.configs) {
    named.insert(config.name);
    changes.push_back({std::string(config.name), to_text(config.value)});
  }
  for (const broker::config_entry& entry : entries) {
    if (named.contains(entry.name) || !is_set_on(resource, entry)) continue;
    changes.push_back({entry.name, std::nullopt, broker::alter_operation::remove});
  }
  return changes;
}

}  // namespace

void alter_configs(alter_configs_call call) {
  pair_up(call->request.resources, call->response.responses, [&](const auto& asked, auto& target) {
    const broker::config_resource resource = name_resource(asked, target);
    target.error_code = not_answered;
    const auto answer = [call, &target](const auto& altered) { tell(altered, target); };
    auto changes = changes_to(call, resource, asked);
    if (!changes.ok()) return answer(changes);
    call->core().alter_configs(resource, std::move(*changes), call->request.validate_only, answer);
  });
}

}  // namespace ringlog::server::handlers
