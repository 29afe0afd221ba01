#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {
constexpr std::int8_t of_brokers = 1;
constexpr std::int8_t of_controllers = 2;
}  // namespace

void describe_cluster(describe_cluster_call call) {
  protocol::describe_cluster_response& response = call->response;
  const std::int8_t asked = call->request.endpoint_type;
  if (asked != of_brokers) {
    response.error_code =
        code_of(asked == of_controllers ? model::kafka_error::mismatched_endpoint_type
                                        : model::kafka_error::unsupported_endpoint_type);
    response.error_message = "this is a listener for clients: it tells of brokers";
    return;
  }
  const auto cluster = call->core().describe_cluster();
  response.cluster_id = cluster.cluster_id;
  response.controller_id = cluster.controller.value();
  for (shown_broker& one : brokers_of(*call)) {
    auto& node = response.brokers.emplace_back();
    node.broker_id = one.id;
    node.host = std::move(one.host);
    node.port = one.port;
  }
  if (call->request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = authorized_operations::cluster;
  }
}

}  // namespace ringlog::server::handlers
