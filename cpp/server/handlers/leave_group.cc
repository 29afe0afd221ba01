#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

std::vector<broker::leaving_member> members_of(const leave_group_call& call) {
  const protocol::leave_group_request& request = call->request;
  if (call->version() < 3) return {{std::string(request.member_id), std::nullopt, ""}};
  std::vector<broker::leaving_member> members;
  for (const auto& given : request.members) {
    members.push_back({std::string(given.member_id), to_text(given.group_instance_id),
                       std::string(given.reason.value_or(""))});
  }
  return members;
}

}  // namespace

void leave_group(leave_group_call call) {
  call->response.error_code = not_answered;
  auto members = members_of(call);
  call->core().leave_group(
      std::string(call->request.group_id), members, [call, members](const auto& left) {
        protocol::leave_group_response& response = call->response;
        response.error_code = code_of(left);
        if (!left.ok()) return;
        if (call->version() < 3) {
          response.error_code = code_of(left->front());
          return;
        }
        for (std::size_t i = 0; i < members.size(); ++i) {
          response.members.push_back(
              {members[i].member, members[i].instance, code_of((*left)[i]), {}});
        }
      });
}

}  // namespace ringlog::server::handlers
