#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

constexpr std::int8_t of_groups = 0;
constexpr std::int8_t of_transactions = 1;

// Why there is no coordinator of that kind.
std::optional<std::pair<model::kafka_error, std::string>> fault_of(std::int8_t key_type) {
  if (key_type == of_groups) return std::nullopt;
  if (key_type != of_transactions) {
    return std::pair(model::kafka_error::invalid_request,
                     std::string("there is no coordinator of this type of key"));
  }
  // Fatal in every client, so that none tries again for ever.
  return std::pair(model::kafka_error::transactional_id_authorization_failed,
                   std::string("transactions cannot be written yet, only read"));
}

std::optional<shown_broker> coordinator_of(const find_coordinator_call& call,
                                           std::string_view group) {
  const auto& nodes = call->shared().nodes;
  return find_broker(*call, nodes == nullptr ? call->core().describe_cluster().node
                                             : nodes->coordinator_of(group));
}

// The fields of a coordinator stand in the response itself (before version 4), else in its list.
template <typename Target>
void fill(const find_coordinator_call& call, std::string_view key,
          std::string_view message_of_success, Target& target) {
  auto fault = fault_of(call->request.key_type);
  const auto coordinator = fault ? std::nullopt : coordinator_of(call, key);
  if (!fault && !coordinator) {
    fault = {model::kafka_error::coordinator_not_available, "the coordinator does not listen yet"};
  }
  if (call->version() >= 1) target.error_message = fault ? fault->second : message_of_success;
  if (fault) {
    target.error_code = code_of(fault->first);
    target.node_id = -1;
    target.port = -1;
    return;
  }
  target.node_id = coordinator->id;
  target.host = coordinator->host;
  target.port = coordinator->port;
}

}  // namespace

void find_coordinator(find_coordinator_call call) {
  if (call->version() < 4) return fill(call, call->request.key, "NONE", call->response);
  pair_up(call->request.coordinator_keys, call->response.coordinators,
          [&](std::string_view key, auto& target) {
            target.key = key;
            fill(call, key, "", target);
          });
}

}  // namespace ringlog::server::handlers
