#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void heartbeat(heartbeat_call call) {
  const protocol::heartbeat_request& request = call->request;
  call->response.error_code = not_answered;
  call->core().heartbeat({std::string(request.group_id), request.generation_id,
                          std::string(request.member_id), to_text(request.group_instance_id)},
                         [call](const auto& alive) { call->response.error_code = code_of(alive); });
}

}  // namespace ringlog::server::handlers
