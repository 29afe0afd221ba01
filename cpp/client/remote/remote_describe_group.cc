// Descriptions of groups, whatever their protocol.

#include "client/consumer_protocol.h"
#include "client/remote/remote_service.h"
#include "protocol/wire/group/consumer_group_describe.h"
#include "protocol/wire/group/describe_groups.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;
using classic_plan =
    call_plan<describe_groups_request, describe_groups_response, broker::described_group>;
using consumer_plan = call_plan<consumer_group_describe_request, consumer_group_describe_response,
                                broker::described_group>;

template <typename Groups>
result<typename Groups::value_type*> only(Groups& groups) {
  if (groups.size() == 1) return &groups.front();
  return error{error_code::internal, "the broker's answer lacks the group"};
}

classic_plan plan_for_classic(const std::string& group) {
  classic_plan plan;
  plan.by = route::to_coordinator(group);
  plan.what = "DescribeGroups of " + group;
  plan.fill = [group](describe_groups_request& out, std::int16_t) {
    out.groups.emplace_back(group);
  };
  plan.take = [](describe_groups_response& answer,
                 const wire_answer&) -> result<broker::described_group> {
    TRY_ASSIGN(const auto* found, only(answer.groups));
    TRY(check_code(found->error_code, found->error_message));
    broker::described_group described{
        found->group_id,      found->group_state, found->protocol_type,
        found->protocol_data, "Classic",          {}};
    for (const auto& each : found->members) {
      described.members.push_back({each.member_id, each.group_instance_id, each.client_id,
                                   each.client_host, to_buffer(each.member_metadata),
                                   to_buffer(each.member_assignment)});
    }
    return described;
  };
  return plan;
}

// What members of the classic protocol would have said.
broker::described_member as_classic(const consumer_group_describe_response::member& from) {
  std::vector<topic_partition> assigned;
  for (const auto& topic : from.assignment.topic_partitions) {
    for (const std::int32_t partition : topic.partitions) {
      assigned.push_back({topic.topic_name, partition_id_t(partition)});
    }
  }
  return {from.member_id,
          from.instance_id,
          from.client_id,
          from.client_host,
          encode_subscription(from.subscribed_topic_names),
          encode_assignment(assigned)};
}

consumer_plan plan_for_consumers(const std::string& group) {
  consumer_plan plan;
  plan.by = route::to_coordinator(group);
  plan.what = "ConsumerGroupDescribe of " + group;
  plan.fill = [group](consumer_group_describe_request& out, std::int16_t) {
    out.group_ids.emplace_back(group);
  };
  plan.take = [](consumer_group_describe_response& answer,
                 const wire_answer&) -> result<broker::described_group> {
    TRY_ASSIGN(const auto* found, only(answer.groups));
    TRY(check_code(found->error_code, found->error_message));
    broker::described_group described{found->group_id,      found->group_state, "consumer",
                                      found->assignor_name, "Consumer",         {}};
    for (const auto& each : found->members) described.members.push_back(as_classic(each));
    return described;
  };
  return plan;
}

}  // namespace

// A group that is not a classic one may be one of the consumer protocol.
void remote_service::describe_group(std::string group, reply<broker::described_group> done) {
  post(std::move(done), [to = cluster_, group = std::move(group)](auto reply) {
    auto or_consumers = [to, group, reply = std::move(reply)](auto classic) mutable {
      if (classic.ok() || classic.code() != error_code::group_id_not_found) {
        return reply(std::move(classic));
      }
      auto answer = [classic = std::move(classic), reply = std::move(reply)](auto found) mutable {
        reply(found.ok() ? std::move(found) : std::move(classic));
      };
      call_remote(to, plan_for_consumers(group),
                  broker::reply<broker::described_group>(std::move(answer)));
    };
    call_remote(to, plan_for_classic(group),
                broker::reply<broker::described_group>(std::move(or_consumers)));
  });
}

}  // namespace ringlog::client::remote
