#include <algorithm>
#include <array>

#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using broker::resource_type;

constexpr std::array known_types{resource_type::topic, resource_type::broker,
                                 resource_type::broker_logger, resource_type::client_metrics,
                                 resource_type::group};

void add(const list_config_resources_call& call, std::string name, resource_type type) {
  const auto number = static_cast<std::int8_t>(type);
  const auto& wanted = call->request.resource_types;
  if (!wanted.empty() && std::ranges::find(wanted, number) == wanted.end()) return;
  call->response.config_resources.push_back({std::move(name), number, {}});
}

}  // namespace

void list_config_resources(list_config_resources_call call) {
  if (call->version() == 0) return;  // of client metrics, and there are none
  for (const std::int8_t type : call->request.resource_types) {
    if (std::ranges::find(known_types, static_cast<resource_type>(type)) != known_types.end()) {
      continue;
    }
    call->response.error_code = code_of(model::kafka_error::unsupported_version);
    return;
  }
  const std::string node = fmt::format("{}", call->core().describe_cluster().node);
  add(call, node, resource_type::broker_logger);
  add(call, node, resource_type::broker);
  for (auto& topic : call->core().list_topics()) {
    add(call, std::move(topic.name), resource_type::topic);
  }
}

}  // namespace ringlog::server::handlers
