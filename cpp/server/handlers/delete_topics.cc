#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_topic = protocol::delete_topics_response::topic_result;

void remove(const delete_topics_call& call, std::string name, answered_topic& target) {
  target.name = name;
  target.error_code = not_answered;
  call->core().delete_topic(std::move(name), [call, &target](const auto& gone) {
    tell(gone, target);
    if (gone.ok()) target.topic_id = *gone;
  });
}

void remove_by_id(const delete_topics_call& call, const uuid& id, answered_topic& target) {
  target.topic_id = id;
  if (const auto found = call->core().find_topic(id)) return remove(call, found->name, target);
  target.name.reset();
  target.error_code = code_of(model::kafka_error::unknown_topic_id);
  target.error_message = "This server does not host this topic ID.";
}

}  // namespace

void delete_topics(delete_topics_call call) {
  const protocol::delete_topics_request& request = call->request;
  auto& responses = call->response.responses;
  if (call->version() < 6) {
    return pair_up(request.topic_names, responses, [&](std::string_view name, auto& target) {
      remove(call, std::string(name), target);
    });
  }
  pair_up(request.topics, responses, [&](const auto& asked, auto& target) {
    if (asked.name) {
      remove(call, std::string(*asked.name), target);
    } else {
      remove_by_id(call, asked.topic_id, target);
    }
  });
}

}  // namespace ringlog::server::handlers
