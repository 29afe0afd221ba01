#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void sync_group(sync_group_call call) {
  const protocol::sync_group_request& request = call->request;
  call->response.error_code = not_answered;
  broker::sync_group_request wanted;
  wanted.group = request.group_id;
  wanted.generation = request.generation_id;
  wanted.member = request.member_id;
  wanted.instance = to_text(request.group_instance_id);
  wanted.protocol_type = to_text(request.protocol_type);
  wanted.protocol = to_text(request.protocol_name);
  for (const auto& given : request.assignments) {
    wanted.assignments.push_back({std::string(given.member_id), to_buffer(given.assignment)});
  }
  call->core().sync_group(std::move(wanted), [call](auto answer) {
    protocol::sync_group_response& response = call->response;
    response.error_code = code_of(answer);
    if (!answer.ok()) return;
    response.protocol_type = std::move(answer->protocol_type);
    response.protocol_name = std::move(answer->protocol);
    response.assignment = std::move(answer->assignment);
  });
}

}  // namespace ringlog::server::handlers
