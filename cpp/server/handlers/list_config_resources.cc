#include <set>

#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using broker::resource_type;

const std::set known_types{resource_type::topic, resource_type::broker,
                           resource_type::broker_logger, resource_type::client_metrics,
                           resource_type::group};

}  // namespace

void list_config_resources(list_config_resources_call call) {
  if (call->version() == 0) {  // of client metrics only
    for (std::string& name : call->core().list_configured(resource_type::client_metrics)) {
      call->response.config_resources.push_back({std::move(name), 0, {}});
    }
    return;
  }
  std::set<resource_type> wanted;
  for (const std::int8_t number : call->request.resource_types) {
    const auto type = static_cast<resource_type>(number);
    if (!known_types.contains(type)) {
      call->response.error_code = code_of(model::kafka_error::unsupported_version);
      return;
    }
    wanted.insert(type);
  }
  if (wanted.empty()) wanted = known_types;
  const auto add = [&](std::string name, resource_type type) {
    if (!wanted.contains(type)) return;
    call->response.config_resources.push_back(
        {std::move(name), static_cast<std::int8_t>(type), {}});
  };
  for (const auto type : {resource_type::group, resource_type::client_metrics}) {
    for (std::string& name : call->core().list_configured(type)) add(std::move(name), type);
  }
  const std::string node = fmt::format("{}", call->core().describe_cluster().node);
  add(node, resource_type::broker_logger);
  add(node, resource_type::broker);
  for (auto& topic : call->core().list_topics()) add(std::move(topic.name), resource_type::topic);
}

}  // namespace ringlog::server::handlers
