#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_group = protocol::consumer_group_describe_response::described_group;
using answered_member = protocol::consumer_group_describe_response::member;
using answered_partitions = protocol::consumer_group_describe_response::assigned;

// Topics that are gone have no name and are left out.
void fill(broker::broker& core, const broker::partitions_by_topic& source,
          answered_partitions& target) {
  for (const auto& [id, partitions] : source) {
    const auto topic = core.find_topic(id);
    if (!topic) continue;
    target.topic_partitions.push_back(
        {id, topic->name, {partitions.begin(), partitions.end()}, {}});
  }
}

void fill(broker::broker& core, const broker::described_consumer_member& source,
          answered_member& target) {
  target.member_id = source.member;
  target.instance_id = source.instance;
  target.rack_id = source.rack;
  target.member_epoch = source.epoch;
  target.client_id = source.client_id;
  target.client_host = source.client_host;
  target.subscribed_topic_names = source.topics;
  target.subscribed_topic_regex = source.topic_expression;
  fill(core, source.assignment, target.assignment);
  fill(core, source.target, target.target_assignment);
  target.member_type = source.is_classic ? 0 : 1;
}

void fill(const consumer_group_describe_call& call,
          const result<broker::described_consumer_group>& found, answered_group& target) {
  target.error_code = code_of(found);
  target.error_message = message_of(found);
  if (!found.ok()) return;
  target.group_state = found->state;
  target.group_epoch = found->epoch;
  target.assignment_epoch = found->assignment_epoch;
  target.assignor_name = found->assignor;
  pair_up(found->members, target.members,
          [&](const auto& source, answered_member& member) { fill(call->core(), source, member); });
  if (call->request.include_authorized_operations) {
    target.authorized_operations = authorized_operations::group;
  }
}

}  // namespace

void consumer_group_describe(consumer_group_describe_call call) {
  pair_up(call->request.group_ids, call->response.groups,
          [&](std::string_view group, answered_group& target) {
            target.group_id = group;
            target.error_code = not_answered;
            call->core().describe_consumer_group(
                std::string(group),
                [call, &target](const auto& found) { fill(call, found, target); });
          });
}

}  // namespace ringlog::server::handlers
