#include "model/topic_name.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

constexpr std::int8_t of_groups = 0;
constexpr std::int8_t of_transactions = 1;

struct fault {
  model::kafka_error code;
  std::string message;
};

// Why there is no coordinator of a kind that is none of groups.
fault fault_of(std::int8_t key_type) {
  if (key_type != of_transactions) {
    return {model::kafka_error::invalid_request, "there is no coordinator of this type of key"};
  }
  // Fatal in every client, so that none tries again for ever.
  return {model::kafka_error::transactional_id_authorization_failed,
          "transactions cannot be written yet, only read"};
}

fault not_available(std::string why) {
  return {model::kafka_error::coordinator_not_available, std::move(why)};
}

std::optional<shown_broker> coordinator_of(const find_coordinator_call& call,
                                           std::string_view group) {
  const auto& nodes = call->shared().nodes;
  return find_broker(*call, nodes == nullptr ? call->core().describe_cluster().node
                                             : nodes->coordinator_of(group));
}

// The fields of a coordinator stand in the response itself (before version 4), else in its list.
template <typename Target>
void fill(const find_coordinator_call& call, std::string_view key, std::optional<fault> why_not,
          std::string_view message_of_success, Target& target) {
  const auto coordinator = why_not ? std::nullopt : coordinator_of(call, key);
  if (!why_not && !coordinator) why_not = not_available("the coordinator does not listen yet");
  if (call->version() >= 1) target.error_message = why_not ? why_not->message : message_of_success;
  target.error_code = why_not ? code_of(why_not->code) : std::int16_t{0};
  target.node_id = why_not ? -1 : coordinator->id;
  target.host = why_not ? "" : coordinator->host;
  target.port = why_not ? -1 : coordinator->port;
}

void answer(const find_coordinator_call& call, const std::optional<fault>& why_not) {
  if (call->version() < 4) return fill(call, call->request.key, why_not, "NONE", call->response);
  pair_up(call->request.coordinator_keys, call->response.coordinators,
          [&](std::string_view key, auto& target) {
            target.key = key;
            fill(call, key, why_not, "", target);
          });
}

}  // namespace

// Whoever has found the coordinator of a group finds the topic that groups are stored in, too.
// Kafka makes it here (KafkaApis.getCoordinator) and has its clients ask again meanwhile.
void find_coordinator(find_coordinator_call call) {
  if (call->request.key_type != of_groups) return answer(call, fault_of(call->request.key_type));
  const std::string stored_in(model::group_metadata_topic);
  answer(call, not_available(stored_in + " is not there yet"));
  call->core().ensure_topic(stored_in, [call](const result<broker::topic_description>& made) {
    answer(call, made.ok() ? std::nullopt : std::optional(not_available(made.failure().message)));
  });
}

}  // namespace ringlog::server::handlers
