#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_group = protocol::describe_groups_response::described_group;

std::size_t size_of(const broker::described_group& group) {
  std::size_t size = group.state.size() + group.protocol_type.size() + group.protocol.size();
  for (const broker::described_member& member : group.members) {
    size += sizeof(member) + member.member.size() + member.client_id.size() +
            member.client_host.size() + member.metadata.size() + member.assignment.size();
  }
  return size;
}

void fill(const describe_groups_call& call, result<broker::described_group> found,
          answered_group& target) {
  if (found.ok() && found->type != "Classic") {
    found = make_error(error_code::group_id_not_found, "Group {} is not a classic group.",
                       found->group);
  }
  if (found.ok() && !call->has_room_for(size_of(*found))) found = no_room_to_show();
  target.error_code = code_of(found);
  if (!found.ok()) {
    target.group_state = "Dead";
    if (call->version() >= 6) {
      target.error_message = found.failure().message;
    } else if (found.code() == error_code::group_id_not_found) {
      target.error_code = 0;  // before version 6 an unknown group was a dead one (KIP-1043)
    }
    return;
  }
  target.group_state = std::move(found->state);
  target.protocol_type = std::move(found->protocol_type);
  target.protocol_data = std::move(found->protocol);
  for (broker::described_member& member : found->members) {
    target.members.push_back({std::move(member.member),
                              std::move(member.instance),
                              std::move(member.client_id),
                              std::move(member.client_host),
                              std::move(member.metadata),
                              std::move(member.assignment),
                              {}});
  }
  if (call->request.include_authorized_operations) {
    target.authorized_operations = authorized_operations::group;
  }
}

}  // namespace

void describe_groups(describe_groups_call call) {
  pair_up(call->request.groups, call->response.groups, [&](std::string_view group, auto& target) {
    target.group_id = group;
    target.error_code = not_answered;
    call->core().describe_group(
        std::string(group), [call, &target](auto found) { fill(call, std::move(found), target); });
  });
}

}  // namespace ringlog::server::handlers
