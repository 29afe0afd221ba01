#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

broker::client_quota_filter translate(const protocol::describe_client_quotas_request& request) {
  broker::client_quota_filter filter;
  filter.strict = request.strict;
  for (const auto& component : request.components) {
    filter.components.push_back({std::string(component.entity_type),
                                 static_cast<broker::quota_match>(component.match_type),
                                 to_text(component.match)});
  }
  return filter;
}

}  // namespace

void describe_client_quotas(describe_client_quotas_call call) {
  protocol::describe_client_quotas_response& response = call->response;
  const auto found = call->core().describe_client_quotas(translate(call->request));
  tell(found, response);
  if (!found.ok()) {
    response.entries.reset();
    return;
  }
  response.error_message = "";
  for (const broker::client_quota& quota : *found) {
    auto& entry = response.entries->emplace_back();
    for (const auto& [type, name] : quota.entity) entry.entity.push_back({type, name, {}});
    for (const auto& [key, value] : quota.values) entry.values.push_back({key, value, {}});
  }
}

}  // namespace ringlog::server::handlers
