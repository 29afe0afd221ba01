// Groups: what a member asks of its coordinator, committed offsets, and their administration.

#include <algorithm>

#include "client/remote/member_call.h"
#include "client/remote/remote_service.h"
#include "model/kafka_error.h"
#include "protocol/wire/group/delete_groups.h"
#include "protocol/wire/group/heartbeat.h"
#include "protocol/wire/group/join_group.h"
#include "protocol/wire/group/leave_group.h"
#include "protocol/wire/group/list_groups.h"
#include "protocol/wire/group/offset_commit.h"
#include "protocol/wire/group/offset_delete.h"
#include "protocol/wire/group/offset_fetch.h"
#include "protocol/wire/group/sync_group.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;
using model::kafka_error;

// The last versions that name topics by their names.
constexpr std::int16_t commit_version_max = 9;
constexpr std::int16_t fetch_version_max = 9;

// A join is answered when all members have come, or their time is over.
constexpr std::int64_t join_grace_ms = 5'000;

template <typename Topics>
auto& topic_in(Topics& topics, std::string_view name) {
  for (auto& each : topics) {
    if (each.name == name) return each;
  }
  topics.emplace_back().name = name;
  return topics.back();
}

// Of a coordinator that is moving every partition says the same: the call as a whole is tried
// again.
bool concerns_coordinator(error_code code) {
  return code == error_code::not_coordinator || code == error_code::coordinator_not_available ||
         code == error_code::coordinator_loading;
}

template <typename Topics>
result<broker::partition_failures> to_failures(const Topics& topics) {
  broker::partition_failures failures;
  for (const auto& topic : topics) {
    for (const auto& each : topic.partitions) {
      status outcome = check_code(each.error_code);
      if (!outcome.ok() && concerns_coordinator(outcome.code())) {
        return std::move(outcome.failure());
      }
      failures.emplace_back(
          topic_partition{topic.name, partition_id_t(each.partition_index)},
          outcome.ok() ? std::nullopt : std::optional(std::move(outcome.failure())));
    }
  }
  return failures;
}

template <typename Topics>
result<broker::fetched_offsets> to_offsets(const Topics& topics) {
  broker::fetched_offsets offsets;
  for (const auto& topic : topics) {
    for (const auto& each : topic.partitions) {
      TRY(check_code(each.error_code));
      auto& [source, committed] = offsets.emplace_back();
      source = {topic.name, partition_id_t(each.partition_index)};
      if (each.committed_offset < 0) continue;
      committed = broker::committed_offset{offset_t(each.committed_offset),
                                           leader_epoch_t(each.committed_leader_epoch),
                                           each.metadata.value_or("")};
    }
  }
  return offsets;
}

void fill_join(const broker::join_group_request& asked, join_group_request& out,
               std::int16_t version) {
  out.group_id = asked.group;
  out.session_timeout_ms = static_cast<std::int32_t>(asked.session_timeout_ms);
  if (version >= 1)
    out.rebalance_timeout_ms = static_cast<std::int32_t>(asked.rebalance_timeout_ms);
  out.member_id = asked.member;
  out.group_instance_id = view_of(asked.instance);
  out.protocol_type = asked.protocol_type;
  out.reason = asked.reason;
  for (const broker::join_protocol& each : asked.protocols) {
    auto& protocol = out.protocols.emplace_back();
    protocol.name = each.name;
    protocol.metadata = bytes_ref(bytes_view(each.metadata));
  }
}

result<broker::join_group_answer> take_join(join_group_response& from) {
  broker::join_group_answer answer;
  answer.member = from.member_id;
  if (static_cast<kafka_error>(from.error_code) == kafka_error::member_id_required) {
    answer.member_id_required = true;
    return answer;
  }
  TRY(check_code(from.error_code));
  answer.generation = from.generation_id;
  answer.protocol_type = from.protocol_type.value_or("consumer");
  answer.protocol = from.protocol_name.value_or("");
  answer.leader = from.leader;
  answer.skip_assignment = from.skip_assignment;
  for (auto& each : from.members) {
    answer.members.push_back({each.member_id, each.group_instance_id, to_buffer(each.metadata)});
  }
  return answer;
}

// The answers of all brokers, as one.
class gathered_groups {
 public:
  using groups = std::vector<broker::listed_group>;

  gathered_groups(std::size_t count, reply<groups> done) : left_(count), done_(std::move(done)) {}

  void take(result<groups> part) {
    if (!part.ok()) {
      failure_ = std::move(part.failure());
    } else {
      all_.insert(all_.end(), part->begin(), part->end());
    }
    if (--left_ > 0) return;
    if (failure_) return done_(std::move(*failure_));
    done_(std::move(all_));
  }

 private:
  std::size_t left_;
  groups all_;
  std::optional<error> failure_;
  reply<groups> done_;
};

call_plan<list_groups_request, list_groups_response, gathered_groups::groups> list_plan(
    node_id_t node) {
  call_plan<list_groups_request, list_groups_response, gathered_groups::groups> plan;
  plan.by = route::to_node(node);
  plan.what = fmt::format("ListGroups of broker {}", node);
  plan.fill = [](list_groups_request&, std::int16_t) {};
  plan.take = [](list_groups_response& answer,
                 const wire_answer&) -> result<gathered_groups::groups> {
    TRY(check_code(answer.error_code));
    gathered_groups::groups found;
    for (const auto& each : answer.groups) {
      found.push_back({each.group_id, each.protocol_type, each.group_state, each.group_type});
    }
    return found;
  };
  return plan;
}

}  // namespace

// ---- members

void remote_service::join_group(broker::join_group_request request,
                                reply<broker::join_group_answer> done) {
  auto plan = member_plan<join_group_request, join_group_response, broker::join_group_answer>(
      request.group, "JoinGroup", route::lane::join);
  plan.try_timeout_ms =
      std::max(request.rebalance_timeout_ms, request.session_timeout_ms) + join_grace_ms;
  plan.fill = [request](join_group_request& out, std::int16_t version) {
    fill_join(request, out, version);
  };
  plan.take = [](join_group_response& answer, const wire_answer&) { return take_join(answer); };
  call(std::move(plan), std::move(done));
}

void remote_service::sync_group(broker::sync_group_request request,
                                reply<broker::sync_group_answer> done) {
  auto plan = member_plan<sync_group_request, sync_group_response, broker::sync_group_answer>(
      request.group, "SyncGroup", route::lane::join);
  plan.fill = [request](sync_group_request& out, std::int16_t) {
    out.group_id = request.group;
    out.generation_id = request.generation;
    out.member_id = request.member;
    out.group_instance_id = view_of(request.instance);
    out.protocol_type = view_of(request.protocol_type);
    out.protocol_name = view_of(request.protocol);
    for (const broker::member_assignment& each : request.assignments) {
      auto& assigned = out.assignments.emplace_back();
      assigned.member_id = each.member;
      assigned.assignment = bytes_ref(bytes_view(each.assignment));
    }
  };
  plan.take = [](sync_group_response& answer,
                 const wire_answer&) -> result<broker::sync_group_answer> {
    TRY(check_code(answer.error_code));
    return broker::sync_group_answer{answer.protocol_type.value_or(""),
                                     answer.protocol_name.value_or(""),
                                     to_buffer(answer.assignment)};
  };
  call(std::move(plan), std::move(done));
}

void remote_service::heartbeat(broker::group_member_identity from, reply<std::monostate> done) {
  auto plan =
      member_plan<heartbeat_request, heartbeat_response, std::monostate>(from.group, "Heartbeat");
  plan.fill = [from](heartbeat_request& out, std::int16_t) {
    out.group_id = from.group;
    out.generation_id = from.generation;
    out.member_id = from.member;
    out.group_instance_id = view_of(from.instance);
  };
  plan.take = [](heartbeat_response& answer, const wire_answer&) -> result<std::monostate> {
    TRY(check_code(answer.error_code));
    return std::monostate{};
  };
  call(std::move(plan), std::move(done));
}

void remote_service::leave_group(std::string group, std::vector<broker::leaving_member> members,
                                 reply<std::vector<std::optional<error>>> done) {
  using outcomes = std::vector<std::optional<error>>;
  auto plan = member_plan<leave_group_request, leave_group_response, outcomes>(group, "LeaveGroup");
  plan.is_waited_for = true;
  plan.fill = [group, members](leave_group_request& out, std::int16_t version) {
    out.group_id = group;
    if (version < 3) {
      out.member_id = members.front().member;
      return;
    }
    for (const broker::leaving_member& each : members) {
      auto& member = out.members.emplace_back();
      member.member_id = each.member;
      member.group_instance_id = view_of(each.instance);
      if (!each.reason.empty()) member.reason = each.reason;
    }
  };
  if (members.size() != 1) plan.lowest_version = 3;
  plan.take = [count = members.size()](leave_group_response& answer,
                                       const wire_answer&) -> result<outcomes> {
    TRY(check_code(answer.error_code));
    outcomes each(count);
    for (std::size_t i = 0; i < std::min(count, answer.members.size()); ++i) {
      status outcome = check_code(answer.members[i].error_code);
      if (!outcome.ok()) each[i] = std::move(outcome.failure());
    }
    return each;
  };
  call(std::move(plan), std::move(done));
}

// ---- offsets

void remote_service::commit_offsets(broker::offset_commit_request request,
                                    reply<broker::partition_failures> done) {
  call_plan<offset_commit_request, offset_commit_response, broker::partition_failures> plan;
  plan.by = route::to_coordinator(request.from.group);
  plan.what = "OffsetCommit of group " + request.from.group;
  plan.highest_version = commit_version_max;
  plan.fill = [request](offset_commit_request& out, std::int16_t) {
    out.group_id = request.from.group;
    out.generation_id_or_member_epoch = request.from.generation;
    out.member_id = request.from.member;
    out.group_instance_id = view_of(request.from.instance);
    out.retention_time_ms = request.retention_ms;
    for (const auto& [source, committed] : request.offsets) {
      auto& partition = topic_in(out.topics, source.topic).partitions.emplace_back();
      partition.partition_index = source.partition.value();
      partition.committed_offset = committed.offset.value();
      partition.committed_leader_epoch = committed.leader_epoch.value();
      partition.committed_metadata = committed.metadata;
    }
  };
  plan.take = [](offset_commit_response& answer, const wire_answer&) {
    return to_failures(answer.topics);
  };
  call(std::move(plan), std::move(done));
}

void remote_service::fetch_offsets(broker::offset_fetch_request request,
                                   reply<broker::fetched_offsets> done) {
  call_plan<offset_fetch_request, offset_fetch_response, broker::fetched_offsets> plan;
  plan.by = route::to_coordinator(request.group);
  plan.what = "OffsetFetch of group " + request.group;
  plan.highest_version = fetch_version_max;
  plan.lowest_version = request.partitions ? 1 : 2;
  plan.fill = [request](offset_fetch_request& out, std::int16_t version) {
    if (version >= 7) out.require_stable = request.require_stable;
    const auto add_all = [&](auto& topics) {
      topics.reset();
      if (!request.partitions) return;
      topics.emplace();
      for (const topic_partition& each : *request.partitions) {
        topic_in(*topics, each.topic).partition_indexes.push_back(each.partition.value());
      }
    };
    if (version < 8) {
      out.group_id = request.group;
      return add_all(out.topics);
    }
    auto& group = out.groups.emplace_back();
    group.group_id = request.group;
    add_all(group.topics);
  };
  plan.take = [](offset_fetch_response& answer,
                 const wire_answer& frame) -> result<broker::fetched_offsets> {
    TRY(check_code(answer.error_code));
    if (frame.version < 8) return to_offsets(answer.topics);
    if (answer.groups.size() != 1) {
      return error{error_code::internal, "the broker's answer lacks the group"};
    }
    TRY(check_code(answer.groups.front().error_code));
    return to_offsets(answer.groups.front().topics);
  };
  call(std::move(plan), std::move(done));
}

void remote_service::delete_offsets(std::string group, std::vector<topic_partition> partitions,
                                    reply<broker::partition_failures> done) {
  call_plan<offset_delete_request, offset_delete_response, broker::partition_failures> plan;
  plan.by = route::to_coordinator(group);
  plan.what = "OffsetDelete of group " + group;
  plan.fill = [group, partitions](offset_delete_request& out, std::int16_t) {
    out.group_id = group;
    for (const topic_partition& each : partitions) {
      topic_in(out.topics, each.topic).partitions.emplace_back().partition_index =
          each.partition.value();
    }
  };
  plan.take = [](offset_delete_response& answer,
                 const wire_answer&) -> result<broker::partition_failures> {
    TRY(check_code(answer.error_code));
    return to_failures(answer.topics);
  };
  call(std::move(plan), std::move(done));
}

// ---- administration

void remote_service::list_groups(reply<std::vector<broker::listed_group>> done) {
  post(std::move(done), [to = cluster_](auto reply) {
    const std::vector<node_id_t> nodes = to->nodes();
    if (nodes.empty()) {
      return reply(error{nobody_there, "no broker has answered yet"});
    }
    const auto gathered = std::make_shared<gathered_groups>(nodes.size(), std::move(reply));
    for (const node_id_t node : nodes) {
      call_remote(to, list_plan(node),
                  broker::reply<gathered_groups::groups>(
                      [gathered](auto part) { gathered->take(std::move(part)); }));
    }
  });
}

void remote_service::delete_group(std::string group, reply<std::monostate> done) {
  call_plan<delete_groups_request, delete_groups_response, std::monostate> plan;
  plan.by = route::to_coordinator(group);
  plan.what = "DeleteGroups of " + group;
  plan.fill = [group](delete_groups_request& out, std::int16_t) {
    out.groups_names.emplace_back(group);
  };
  plan.take = [](delete_groups_response& answer, const wire_answer&) -> result<std::monostate> {
    if (answer.results.size() != 1) {
      return error{error_code::internal, "the broker's answer lacks the group"};
    }
    TRY(check_code(answer.results.front().error_code));
    return std::monostate{};
  };
  call(std::move(plan), std::move(done));
}

}  // namespace ringlog::client::remote
