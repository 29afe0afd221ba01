#include <algorithm>
#include <map>

#include "broker/group/classic_group.h"

// The rebalance: join phase, election, assignment, and what ends them when members do not come.
namespace ringlog::broker {

bool classic_group::can_rebalance() const {
  return state_ == group_state::empty || state_ == group_state::stable ||
         state_ == group_state::completing_rebalance;
}

bool classic_group::all_joined() const {
  return pending_joins_.empty() &&
         std::all_of(members_.begin(), members_.end(),
                     [](const auto& entry) { return entry.second.awaits_join(); });
}

void classic_group::rebalance_or_complete_join(group_outcome& outcome) {
  if (can_rebalance()) {
    prepare_rebalance(outcome);
  } else {
    complete_join_if_all_joined(outcome);
  }
}

// An id that never joined can only have held up a join phase.
void classic_group::after_removal(bool members_changed, group_outcome& outcome) {
  if (members_changed) {
    rebalance_or_complete_join(outcome);
  } else {
    complete_join_if_all_joined(outcome);
  }
}

void classic_group::prepare_rebalance(group_outcome& outcome) {
  if (state_ == group_state::completing_rebalance) {
    for (auto& [id, member] : members_) member.assignment.clear();
    fail_syncs(make_error(error_code::rebalance_in_progress,
                          "group {} began to rebalance again: join it again", id_),
               outcome);
  }
  for (auto& [id, member] : members_) member.sync_pending = false;
  sync_deadline_.reset();

  const bool is_initial = state_ == group_state::empty;
  move_to(group_state::preparing_rebalance);
  if (is_initial) {  // more members may be starting: wait for them a little
    const std::int64_t delay_ms = outside_.settings.initial_rebalance_delay_ms;
    initial_delay_ = true;
    new_member_added_ = false;
    initial_delay_left_ms_ = std::max<std::int64_t>(rebalance_timeout_ms() - delay_ms, 0);
    join_deadline_ = after_ms(delay_ms);
  } else if (all_joined()) {
    complete_join(outcome);
  } else {
    join_deadline_ = after_ms(rebalance_timeout_ms());
  }
}

void classic_group::complete_join_if_all_joined(group_outcome& outcome) {
  if (state_ != group_state::preparing_rebalance || initial_delay_) return;
  if (all_joined()) complete_join(outcome);
}

void classic_group::extend_or_complete_initial_delay(group_outcome& outcome) {
  if (!new_member_added_ || initial_delay_left_ms_ == 0) {
    complete_join(outcome);
    return;
  }
  new_member_added_ = false;
  const std::int64_t delay_ms =
      std::min(outside_.settings.initial_rebalance_delay_ms, initial_delay_left_ms_);
  initial_delay_left_ms_ -= delay_ms;
  join_deadline_ = after_ms(delay_ms);
}

void classic_group::complete_join(group_outcome& outcome) {
  initial_delay_ = false;
  join_deadline_.reset();
  std::vector<std::string> absent;
  for (const auto& [id, member] : members_) {
    if (!member.awaits_join() && !member.instance) absent.push_back(id);
  }
  for (const std::string& id : absent) remove(id, outcome);
  if (!members_.empty() && !elect_joined_leader()) {
    // Static members that did not come back keep their place until their session ends.
    join_deadline_ = after_ms(rebalance_timeout_ms());
    return;
  }
  start_next_generation(outcome);
}

// Keeps the leader if it joined, else takes one that did; false when nobody did.
bool classic_group::elect_joined_leader() {
  if (leader_ && member(*leader_).awaits_join()) return true;
  const auto joined = std::find_if(members_.begin(), members_.end(),
                                   [](const auto& entry) { return entry.second.awaits_join(); });
  if (joined == members_.end()) return false;
  leader_ = joined->first;
  return true;
}

void classic_group::start_next_generation(group_outcome& outcome) {
  ++generation_;
  if (members_.empty()) {
    protocol_.reset();
    refresh_topics();
    move_to(group_state::empty);
    outcome.store = group_store{to_stored(), nullptr};
    return;
  }
  protocol_ = select_protocol();
  refresh_topics();
  move_to(group_state::completing_rebalance);
  for (auto& [id, member] : members_) {
    if (member.awaits_join()) {
      outcome.answer<join_group_answer>(std::exchange(member.join_waiter, nullptr),
                                        current_generation_for(member));
    }
    member.is_new = false;
    member.sync_pending = true;
    touch(member);
  }
  sync_deadline_ = after_ms(rebalance_timeout_ms());
}

// Every member votes for the first of its protocols that all support; the most votes win, among
// equals the first by name.
std::string classic_group::select_protocol() const {
  const auto supported_by_all = [&](const std::string& name) {
    return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
      return entry.second.find_protocol(name) != nullptr;
    });
  };
  std::map<std::string, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    const auto choice = std::find_if(
        member.protocols.begin(), member.protocols.end(),
        [&](const join_protocol& protocol) { return supported_by_all(protocol.name); });
    CHECK(choice != member.protocols.end(), "members without a protocol in common", id_, id);
    ++votes[choice->name];
  }
  CHECK(!votes.empty(), "a protocol is selected for a group without members", id_);
  return std::max_element(
             votes.begin(), votes.end(),
             [](const auto& left, const auto& right) { return left.second < right.second; })
      ->first;
}

void classic_group::sync(sync_group_request request, reply<sync_group_answer> done,
                         group_outcome& outcome) {
  const auto refuse = [&](error why) {
    outcome.answer<sync_group_answer>(std::move(done), std::move(why));
  };
  const auto differs = [](const std::optional<std::string>& asked,
                          const std::optional<std::string>& ours) {
    return asked && ours && *asked != *ours;
  };
  status accepted = check_member(request.member, request.instance);
  if (accepted.ok()) accepted = check_generation(request.generation);
  if (!accepted.ok()) return refuse(std::move(accepted.failure()));
  if (differs(request.protocol_type, protocol_type_) || differs(request.protocol, protocol_)) {
    return refuse(make_error(error_code::inconsistent_group_protocol,
                             "group {} chose protocol '{}' of type '{}'", id_,
                             protocol_.value_or(""), protocol_type()));
  }
  group_member& asking = member(request.member);
  if (state_ == group_state::stable) {
    synced(asking);
    outcome.answer<sync_group_answer>(
        std::move(done),
        sync_group_answer{protocol_type(), protocol_.value_or(""), asking.assignment});
    return;
  }
  if (state_ != group_state::completing_rebalance) {
    return refuse(make_error(error_code::rebalance_in_progress,
                             "group {} is rebalancing: join it again", id_));
  }
  if (asking.awaits_sync()) {
    outcome.answer<sync_group_answer>(
        std::exchange(asking.sync_waiter, nullptr),
        make_error(error_code::rebalance_in_progress, "the member asked again"));
  }
  asking.sync_waiter = std::move(done);
  synced(asking);
  if (leader_ == asking.id) {
    assignment_map assignments;
    for (member_assignment& assigned : request.assignments) {
      assignments[assigned.member] = std::move(assigned.assignment);
    }
    store_assignments(std::move(assignments), outcome);
  }
}

void classic_group::synced(group_member& member) {
  member.sync_pending = false;
  const bool any_pending = std::any_of(members_.begin(), members_.end(),
                                       [](const auto& entry) { return entry.second.sync_pending; });
  if (!any_pending) sync_deadline_.reset();
}

// The assignments take effect once they are durable. Members without one get an empty one.
void classic_group::store_assignments(assignment_map assignments, group_outcome& outcome) {
  group_store store{to_stored(), nullptr};
  for (auto& stored : store.value.members) {
    const auto found = assignments.find(stored.member_id);
    stored.assignment = found == assignments.end() ? byte_buffer{} : found->second;
  }
  store.after = [generation = generation_, assignments = std::move(assignments)](
                    classic_group& self, const status& stored, group_outcome& after) mutable {
    self.finish_sync(generation, assignments, stored, after);
  };
  outcome.store = std::move(store);
}

void classic_group::finish_sync(std::int32_t generation, assignment_map& assignments,
                                const status& stored, group_outcome& outcome) {
  // Another rebalance may have begun meanwhile; it tells the members itself.
  if (state_ != group_state::completing_rebalance || generation != generation_) return;
  if (!stored.ok()) {
    fail_syncs(stored.failure(), outcome);
    prepare_rebalance(outcome);
    return;
  }
  move_to(group_state::stable);
  for (auto& [id, member] : members_) {
    member.assignment = std::move(assignments[id]);
    if (!member.awaits_sync()) continue;
    touch(member);
    outcome.answer<sync_group_answer>(
        std::exchange(member.sync_waiter, nullptr),
        sync_group_answer{protocol_type(), protocol_.value_or(""), member.assignment});
  }
}

void classic_group::fail_syncs(const error& why, group_outcome& outcome) {
  for (auto& [id, member] : members_) {
    if (!member.awaits_sync()) continue;
    touch(member);
    outcome.answer<sync_group_answer>(std::exchange(member.sync_waiter, nullptr), why);
  }
}

std::optional<monotonic_time> classic_group::next_deadline() const {
  std::optional<monotonic_time> earliest;
  const auto consider = [&](std::optional<monotonic_time> time) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  };
  consider(join_deadline_);
  consider(sync_deadline_);
  for (const auto& [id, until] : pending_joins_) consider(until);
  for (const auto& [id, member] : members_) {
    if (member.can_expire()) consider(member.session_end);
  }
  return earliest;
}

void classic_group::expire(group_outcome& outcome) {
  if (state_ == group_state::dead) return;
  const monotonic_time now = outside_.time.now();
  std::vector<std::string> over;
  for (const auto& [id, until] : pending_joins_) {
    if (until <= now) over.push_back(id);
  }
  for (const auto& [id, member] : members_) {
    if (member.can_expire() && member.session_end <= now) over.push_back(id);
  }
  bool members_changed = false;
  for (const std::string& id : over) members_changed |= remove(id, outcome);
  if (!over.empty()) after_removal(members_changed, outcome);
  if (sync_deadline_ && *sync_deadline_ <= now) expire_sync(outcome);
  if (join_deadline_ && *join_deadline_ <= now) {
    if (initial_delay_) {
      extend_or_complete_initial_delay(outcome);
    } else {
      complete_join(outcome);
    }
  }
}

// Who joined but never asked for its assignment is gone.
void classic_group::expire_sync(group_outcome& outcome) {
  sync_deadline_.reset();
  std::vector<std::string> silent;
  for (const auto& [id, member] : members_) {
    if (member.sync_pending) silent.push_back(id);
  }
  for (const std::string& id : silent) remove(id, outcome);
  if (!silent.empty()) prepare_rebalance(outcome);
}

}  // namespace ringlog::broker
