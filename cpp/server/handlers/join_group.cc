#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

void fill(const join_group_call& call, broker::join_group_answer& answer) {
  protocol::join_group_response& response = call->response;
  response.error_code = 0;
  response.member_id = answer.member;
  if (answer.member_id_required) {
    response.error_code = code_of(model::kafka_error::member_id_required);
    return;
  }
  response.generation_id = answer.generation;
  response.protocol_type = answer.protocol_type;
  response.protocol_name = answer.protocol;
  response.leader = answer.leader;
  if (call->version() >= 9) response.skip_assignment = answer.skip_assignment;
  for (broker::joined_member& member : answer.members) {
    response.members.push_back(
        {std::move(member.member), std::move(member.instance), std::move(member.metadata), {}});
  }
}

}  // namespace

void join_group(join_group_call call) {
  const protocol::join_group_request& request = call->request;
  call->response.error_code = not_answered;
  call->response.member_id = request.member_id;
  if (call->version() >= 7) call->response.protocol_name.reset();
  broker::join_group_request wanted;
  wanted.group = request.group_id;
  wanted.member = request.member_id;
  wanted.instance = to_text(request.group_instance_id);
  wanted.client_id = call->client_id();
  wanted.client_host = "/" + call->from().host;
  wanted.protocol_type = request.protocol_type;
  for (const auto& protocol : request.protocols) {
    wanted.protocols.push_back({std::string(protocol.name), to_buffer(protocol.metadata)});
  }
  wanted.session_timeout_ms = request.session_timeout_ms;
  wanted.rebalance_timeout_ms =
      request.rebalance_timeout_ms < 0 ? request.session_timeout_ms : request.rebalance_timeout_ms;
  wanted.member_id_required = call->version() >= 4;
  wanted.reason = request.reason.value_or("");
  call->core().join_group(std::move(wanted), [call](auto answer) {
    if (answer.ok()) return fill(call, *answer);
    call->response.error_code = code_of(answer);
  });
}

}  // namespace ringlog::server::handlers
