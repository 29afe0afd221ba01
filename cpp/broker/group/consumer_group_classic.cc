#include <algorithm>
#include <limits>

#include "broker/group/classic_group.h"
#include "broker/group/consumer_group.h"
#include "broker/group/consumer_protocol.h"

// Members of a consumer group that speak the classic protocol, and what makes one kind of group of
// the other while members are in it (KIP-848, "online migration"). There is no join phase: a
// JoinGroup is a heartbeat, its generation the member's epoch, and REBALANCE_IN_PROGRESS tells the
// member to join again for its next step.
namespace ringlog::broker {

namespace {

bool has_protocol(const consumer_member& member, const std::string& name) {
  return std::ranges::any_of(member.classic->protocols,
                             [&](const join_protocol& protocol) { return protocol.name == name; });
}

}  // namespace

// All classic members, the one that joins included, need one protocol in common; which does not
// matter, the group assigns.
status consumer_group::check_protocols(const join_group_request& request) const {
  const auto all_have = [&](const join_protocol& protocol) {
    return std::ranges::all_of(members_, [&](const auto& entry) {
      return !entry.second.is_classic() || has_protocol(entry.second, protocol.name);
    });
  };
  if (request.protocol_type == "consumer" && std::ranges::any_of(request.protocols, all_have)) {
    return {};
  }
  return make_error(error_code::inconsistent_group_protocol,
                    "Member {}'s protocols are not supported by consumer group {}.", request.member,
                    id_);
}

result<consumer_member> consumer_group::admit_classic(const std::string& id,
                                                      const join_group_request& request) const {
  const consumer_member* known = find_static(request.instance);
  if (request.instance && !request.member.empty()) {
    TRY_ASSIGN(known, find_member(id, request.instance));
    return *known;
  }
  if (known != nullptr) {  // a static member comes back, as another one
    consumer_member successor = *known;
    successor.id = id;
    successor.epoch = joining_epoch;
    successor.previous_epoch = joining_epoch;
    return successor;
  }
  const auto found = members_.find(id);
  if (found != members_.end()) return found->second;
  consumer_member added;
  added.id = id;
  return added;
}

result<join_group_answer> consumer_group::join(const join_group_request& request) {
  TRY(check_room(request.member));
  TRY(check_protocols(request));
  const std::string id =
      request.member.empty() ? uuid::make_random(outside_.random).to_string() : request.member;
  join_group_answer answer;
  answer.member = id;
  if (request.member.empty() && request.member_id_required && !request.instance) {
    answer.member_id_required = true;
    return answer;
  }
  TRY_ASSIGN(const consumer_member before, admit_classic(id, request));
  const auto subscription =
      read_subscription(request.protocols.front().metadata, outside_.metadata);
  if (!subscription) {
    return make_error(error_code::inconsistent_group_protocol,
                      "The subscription of member {} cannot be read.", id);
  }
  const auto to_int32 = [](std::int64_t ms) {
    return static_cast<std::int32_t>(
        std::min<std::int64_t>(ms, std::numeric_limits<std::int32_t>::max()));
  };
  consumer_member after = before;
  if (request.instance) after.instance = request.instance;
  if (subscription->rack) after.rack = subscription->rack;
  after.rebalance_timeout_ms = to_int32(request.rebalance_timeout_ms);
  after.topics = {subscription->topics.begin(), subscription->topics.end()};
  after.expression.reset();
  after.client_id = request.client_id;
  after.client_host = request.client_host;
  after.classic = classic_part{to_int32(request.session_timeout_ms), request.protocols};

  const consumer_member* predecessor = find_static(request.instance);
  if (predecessor != nullptr && predecessor->id != id) replace(predecessor->id, before);
  const consumer_member& now = advance(before, after, subscription->owned);
  timers& of_member = timers_[id];
  of_member.session_end = after_ms(request.session_timeout_ms);
  of_member.join_end.reset();
  of_member.sync_end = after_ms(request.rebalance_timeout_ms);

  answer.generation = now.epoch;
  answer.protocol_type = "consumer";
  answer.protocol = request.protocols.front().name;
  return answer;
}

status consumer_group::check_classic(const group_member_identity& from) const {
  TRY_ASSIGN(const consumer_member* known, find_member(from.member, from.instance));
  if (!known->is_classic()) {
    return make_error(error_code::unknown_member_id, "Member {} does not use the classic protocol.",
                      known->id);
  }
  if (known->epoch == from.generation) return {};
  return make_error(error_code::illegal_generation, "member {} is at generation {}, not {}",
                    known->id, known->epoch, from.generation);
}

// A member that is told to join again has its rebalance timeout to do so.
void consumer_group::expect_join(const consumer_member& member) {
  auto& join_end = timers_[member.id].join_end;
  if (!join_end) join_end = after_ms(member.rebalance_timeout_ms);
}

result<sync_group_answer> consumer_group::sync(const sync_group_request& request) {
  TRY(check_classic({request.group, request.generation, request.member, request.instance}));
  const consumer_member& member = members_.at(request.member);
  const std::string& protocol = member.classic->protocols.front().name;
  if (request.protocol_type.value_or("consumer") != "consumer" ||
      request.protocol.value_or(protocol) != protocol) {
    return make_error(error_code::inconsistent_group_protocol,
                      "member {} joined with protocol '{}' of type 'consumer'", member.id,
                      protocol);
  }
  if (epoch_ > member.epoch && member.state != consumer_member_state::unrevoked) {
    expect_join(member);
    return make_error(error_code::rebalance_in_progress, "group {} is at epoch {}: join it again",
                      id_, epoch_);
  }
  timers& of_member = timers_[member.id];
  of_member.sync_end.reset();
  of_member.session_end = after_ms(member.classic->session_timeout_ms);
  return sync_group_answer{
      "consumer", protocol,
      write_assignment(without_epochs(member.assigned), member.classic->protocols.front().metadata,
                       outside_.metadata)};
}

bool consumer_group::waits_for_others(const consumer_member& member) const {
  const auto target = targets_.find(member.id);
  if (target == targets_.end()) return false;
  return std::ranges::any_of(target->second, [&](const auto& entry) {
    return std::ranges::any_of(entry.second, [&](std::int32_t partition) {
      return !contains(member.assigned, entry.first, partition) &&
             owners_.contains({entry.first, partition});
    });
  });
}

status consumer_group::classic_heartbeat(const group_member_identity& from) {
  TRY(check_classic(from));
  const consumer_member& member = members_.at(from.member);
  timers_[member.id].session_end = after_ms(member.classic->session_timeout_ms);
  const bool has_news =
      member.epoch < epoch_ || member.state == consumer_member_state::unrevoked ||
      (member.state == consumer_member_state::unreleased && !waits_for_others(member));
  if (!has_news) return {};
  expect_join(member);
  return make_error(error_code::rebalance_in_progress, "group {} is rebalancing: join it again",
                    id_);
}

// An administrator names static members without their ids.
result<std::string> consumer_group::find_leaving(const leaving_member& leaving) const {
  const consumer_member* known = nullptr;
  if (leaving.instance && leaving.member.empty()) {
    known = find_static(leaving.instance);
    if (known == nullptr) {
      return make_error(error_code::unknown_member_id, "Instance id {} is unknown.",
                        *leaving.instance);
    }
  } else {
    TRY_ASSIGN(known, find_member(leaving.member, leaving.instance));
  }
  if (known->is_classic()) return known->id;
  return make_error(error_code::unknown_member_id, "Member {} does not use the classic protocol.",
                    known->id);
}

std::vector<std::optional<error>> consumer_group::leave(
    const std::vector<leaving_member>& members) {
  std::vector<std::optional<error>> answers;
  std::set<std::string> gone;
  for (const leaving_member& leaving : members) {
    auto found = find_leaving(leaving);
    if (found.ok() && gone.contains(*found)) {
      found = make_error(error_code::unknown_member_id, "member {} is named twice", *found);
    }
    if (!found.ok()) {
      answers.emplace_back(std::move(found.failure()));
      continue;
    }
    gone.insert(std::move(*found));
    answers.emplace_back(std::nullopt);
  }
  remove(gone);
  return answers;
}

bool consumer_group::may_become_classic() const {
  return outside_.settings.downgrades_groups && !members_.empty() &&
         static_cast<std::int64_t>(members_.size()) <= outside_.settings.size_max &&
         std::ranges::all_of(members_, [](const auto& entry) { return entry.second.is_classic(); });
}

// The first that all have, as the first member prefers them.
std::string consumer_group::classic_protocol() const {
  const auto& wishes = members_.begin()->second.classic->protocols;
  const auto found = std::ranges::find_if(wishes, [&](const join_protocol& wish) {
    return std::ranges::all_of(
        members_, [&](const auto& entry) { return has_protocol(entry.second, wish.name); });
  });
  CHECK(found != wishes.end(), "classic members without a protocol in common", id_);
  return found->name;
}

protocol::group_metadata_value consumer_group::to_classic() const {
  protocol::group_metadata_value stored;
  stored.protocol_type = "consumer";
  stored.generation = epoch_;
  stored.protocol = classic_protocol();
  stored.leader = members_.begin()->first;
  stored.current_state_timestamp = outside_.time.wall_ms();
  for (const auto& [id, member] : members_) {
    auto& target = stored.members.emplace_back();
    target.member_id = id;
    target.group_instance_id = member.instance;
    target.client_id = member.client_id;
    target.client_host = member.client_host;
    target.rebalance_timeout = member.rebalance_timeout_ms;
    target.session_timeout = member.classic->session_timeout_ms;
    const auto& protocols = member.classic->protocols;
    const auto chosen = std::ranges::find(protocols, *stored.protocol, &join_protocol::name);
    target.subscription = chosen->metadata;
    const auto assigned = targets_.find(id);
    target.assignment =
        write_assignment(assigned == targets_.end() ? partitions_by_topic{} : assigned->second,
                         chosen->metadata, outside_.metadata);
  }
  return stored;
}

result<std::unique_ptr<consumer_group>> consumer_group::from_classic(
    const classic_group& source, consumer_group_services outside) {
  const auto refuse = [&](std::string_view why) {
    return make_error(error_code::group_id_not_found,
                      "Cannot upgrade classic group {} to consumer group because {}.", source.id(),
                      why);
  };
  auto made = std::make_unique<consumer_group>(source.id(), outside);
  made->records_.push_back(group_tombstone(source.id()));
  if (source.members().empty()) return made;
  if (!outside.settings.upgrades_groups) return refuse("online upgrade is disabled");
  if (!source.uses_consumer_protocol()) {
    return refuse("the group does not use the consumer embedded protocol");
  }
  if (static_cast<std::int64_t>(source.members().size()) > outside.settings.consumer_size_max) {
    return refuse("the group size exceeds the consumer group maximum size");
  }
  const std::string protocol = source.protocol().value_or("");
  std::vector<consumer_member> members;
  for (const auto& [id, member] : source.members()) {
    const join_protocol* chosen = member.find_protocol(protocol);
    if (chosen == nullptr) chosen = &member.protocols.front();  // it has not joined a generation
    const auto subscription = read_subscription(chosen->metadata, outside.metadata);
    const auto assignment = read_assignment(member.assignment, outside.metadata);
    if (!subscription || !assignment) return refuse("the embedded consumer protocol is malformed");
    if (assignment->has_user_data) return refuse("an unsupported custom assignor is in use");
    consumer_member& target = members.emplace_back();
    target.id = id;
    target.instance = member.instance;
    target.rack = subscription->rack;
    target.client_id = member.client_id;
    target.client_host = member.client_host;
    target.topics = {subscription->topics.begin(), subscription->topics.end()};
    target.rebalance_timeout_ms = static_cast<std::int32_t>(member.rebalance_timeout_ms);
    target.classic =
        classic_part{static_cast<std::int32_t>(member.session_timeout_ms), member.protocols};
    target.epoch = source.generation();
    target.previous_epoch = source.generation();
    for (const auto& [topic, partitions] : assignment->partitions) {
      for (const std::int32_t partition : partitions) {
        target.assigned[topic][partition] = target.epoch;
      }
    }
  }
  for (const consumer_member& member : members) made->emit(member_record(source.id(), member));
  made->emit(to_record(source.id(), stored_consumer_group{source.generation(), 0}));
  for (const consumer_member& member : members) {
    made->emit(member_target_record(source.id(), member.id, without_epochs(member.assigned)));
  }
  made->emit(to_record(source.id(), stored_consumer_target{source.generation(), 0}));
  for (const consumer_member& member : members) {
    made->emit(member_assignment_record(source.id(), member));
  }
  made->start_timers();
  return made;
}

}  // namespace ringlog::broker
