#include <algorithm>

#include "broker/group/consumer_group.h"
#include "broker/group/topic_expression.h"

// The heartbeat of a member: who may come in, what changes with it, and how it leaves.
namespace ringlog::broker {

namespace {

// What a member says that joins, or that lost the answer to an earlier heartbeat, is complete.
bool is_complete(const consumer_heartbeat_request& request) {
  return request.epoch == joining_epoch ||
         (request.rebalance_timeout_ms != -1 && (request.topics || request.topic_expression) &&
          request.owned);
}

consumer_member updated(const consumer_member& before, const consumer_heartbeat_request& request) {
  consumer_member after = before;
  if (request.instance) after.instance = request.instance;
  if (request.rack) after.rack = request.rack;
  if (request.rebalance_timeout_ms != -1) after.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.assignor) after.assignor = request.assignor;
  if (request.topics) after.topics = {request.topics->begin(), request.topics->end()};
  if (request.topic_expression) after.expression = request.topic_expression;
  if (after.expression && after.expression->empty()) after.expression.reset();
  after.client_id = request.client_id;
  after.client_host = request.client_host;
  after.classic.reset();
  return after;
}

bool has_all(const held_partitions& held, const std::optional<partitions_by_topic>& owned) {
  if (!owned) return false;
  return std::ranges::all_of(*owned, [&](const auto& entry) {
    return std::ranges::all_of(entry.second, [&](std::int32_t partition) {
      return contains(held, entry.first, partition);
    });
  });
}

}  // namespace

result<consumer_heartbeat_answer> consumer_group::heartbeat(
    const consumer_heartbeat_request& request) {
  return request.epoch >= joining_epoch ? go_on(request) : leave(request);
}

result<consumer_heartbeat_answer> consumer_group::go_on(const consumer_heartbeat_request& request) {
  TRY(check_room(request.member));
  const std::string id =
      request.member.empty() ? uuid::make_random(outside_.random).to_string() : request.member;
  TRY_ASSIGN(const consumer_member before, admit(id, request));
  const consumer_member after = updated(before, request);
  if (after.expression && after.expression != before.expression) {
    TRY(topic_expression::parse(*after.expression));
  }
  const consumer_member* predecessor = find_static(request.instance);
  if (predecessor != nullptr && predecessor->id != id) replace(predecessor->id, before);
  const consumer_member& now = advance(before, after, request.owned);
  timers_[id].session_end = after_ms(
      config_ms("consumer.session.timeout.ms", outside_.settings.consumer_session_timeout_ms));

  consumer_heartbeat_answer answer;
  answer.member = id;
  answer.epoch = now.epoch;
  answer.heartbeat_interval_ms = static_cast<std::int32_t>(config_ms(
      "consumer.heartbeat.interval.ms", outside_.settings.consumer_heartbeat_interval_ms));
  if (is_complete(request) || now.assigned != before.assigned) {
    answer.assignment = without_epochs(now.assigned);
  }
  return answer;
}

status consumer_group::check_room(const std::string& member) const {
  const auto size = static_cast<std::int64_t>(members_.size());
  if (size < outside_.settings.consumer_size_max || members_.contains(member)) return {};
  return make_error(error_code::group_max_size_reached,
                    "The consumer group has reached its maximum capacity of {} members.",
                    outside_.settings.consumer_size_max);
}

status consumer_group::check_epoch(const consumer_member& member,
                                   const consumer_heartbeat_request& request) const {
  if (request.epoch == joining_epoch) return {};
  const bool must_rejoin =
      member.state == consumer_member_state::unknown && !(request.owned && request.owned->empty());
  // The answer with the next epoch may have been lost.
  const bool repeats = request.epoch == member.previous_epoch && request.epoch < member.epoch &&
                       has_all(member.assigned, request.owned);
  if (!must_rejoin && (request.epoch == member.epoch || repeats)) return {};
  return make_error(consumer_failures::fenced_member_epoch,
                    "The consumer group member is at epoch {}, not {}. The member must abandon all "
                    "its partitions and rejoin.",
                    member.epoch, request.epoch);
}

const consumer_member* consumer_group::find_static(
    const std::optional<std::string>& instance) const {
  if (!instance) return nullptr;
  const auto found = static_members_.find(*instance);
  if (found == static_members_.end()) return nullptr;
  const auto member = members_.find(found->second);
  return member == members_.end() ? nullptr : &member->second;
}

// A member that says it is in.
result<const consumer_member*> consumer_group::find_member(
    const std::string& id, const std::optional<std::string>& instance) const {
  if (!instance) {
    const auto found = members_.find(id);
    if (found != members_.end()) return &found->second;
    return make_error(error_code::unknown_member_id, "Member {} is not a member of group {}.", id,
                      id_);
  }
  const consumer_member* known = find_static(instance);
  if (known == nullptr) {
    return make_error(error_code::unknown_member_id, "Instance id {} is unknown.", *instance);
  }
  if (known->id != id) {
    return make_error(error_code::fenced_instance_id,
                      "Static member {} with instance id {} was fenced by member {}.", id,
                      *instance, known->id);
  }
  return known;
}

// The member as it is before the heartbeat: known, new, or the successor of a static member.
result<consumer_member> consumer_group::admit(const std::string& id,
                                              const consumer_heartbeat_request& request) const {
  if (request.epoch != joining_epoch) {
    TRY_ASSIGN(const consumer_member* known, find_member(id, request.instance));
    TRY(check_epoch(*known, request));
    return *known;
  }
  const consumer_member* known = find_static(request.instance);
  if (known == nullptr) {
    const auto found = members_.find(id);
    if (found != members_.end()) return found->second;
    consumer_member added;
    added.id = id;
    return added;
  }
  if (known->id == id && known->epoch != leaving_for_a_while_epoch) return *known;
  if (!known->is_classic() && known->epoch != leaving_for_a_while_epoch) {
    return make_error(consumer_failures::unreleased_instance_id,
                      "Static member {} with instance id {} cannot join the group because the "
                      "instance id is owned by {} member.",
                      id, *request.instance, known->id);
  }
  consumer_member successor = *known;
  successor.id = id;
  successor.epoch = joining_epoch;
  successor.previous_epoch = joining_epoch;
  return successor;
}

// A static member comes back under another id, with what its predecessor was to have and had.
void consumer_group::replace(const std::string& old_id, const consumer_member& member) {
  const auto found = targets_.find(old_id);
  const partitions_by_topic target =
      found == targets_.end() ? partitions_by_topic{} : found->second;
  emit(consumer_tombstone(record_types::consumer_member_assignment, id_, old_id));
  emit(consumer_tombstone(record_types::consumer_member_target, id_, old_id));
  emit(consumer_tombstone(record_types::consumer_member, id_, old_id));
  emit(member_record(id_, member));
  emit(member_target_record(id_, member.id, target));
  emit(member_assignment_record(id_, member));
}

// The three steps of every heartbeat: what the member says about itself may raise the group's
// epoch; a new epoch gets a new target; the member moves towards its part of that.
const consumer_member& consumer_group::advance(const consumer_member& before,
                                               const consumer_member& after,
                                               const std::optional<partitions_by_topic>& owned) {
  if (!members_.contains(after.id) || !after.has_same_metadata(before)) {
    emit(member_record(id_, after));
  }
  const bool subscription_changed = !after.has_same_subscription(before);
  const bool topics_changed = resolve_expressions();
  raise_epoch_if(subscription_changed || topics_changed);
  make_target();
  reconcile_member(after.id, subscription_changed || topics_changed, owned);
  return members_.at(after.id);
}

result<consumer_heartbeat_answer> consumer_group::leave(const consumer_heartbeat_request& request) {
  TRY_ASSIGN(const consumer_member* known, find_member(request.member, request.instance));
  consumer_heartbeat_answer answer;
  answer.member = request.member;
  answer.epoch = request.epoch;
  if (request.instance && request.epoch == leaving_for_a_while_epoch) {
    // It keeps its partitions until it is back or its session is over.
    consumer_member leaving = *known;
    leaving.epoch = leaving_for_a_while_epoch;
    leaving.to_revoke.clear();
    emit(member_assignment_record(id_, leaving));
    timers_[leaving.id].revocation_end.reset();
  } else {
    remove({known->id});
  }
  return answer;
}

void consumer_group::drop_unused_expressions() {
  std::set<std::string> used;
  for (const auto& [id, member] : members_) {
    if (member.expression) used.insert(*member.expression);
  }
  std::vector<std::string> unused;
  for (const auto& [text, topics] : expressions_) {
    if (!used.contains(text)) unused.push_back(text);
  }
  for (const std::string& text : unused) {
    emit(consumer_tombstone(record_types::consumer_expression, id_, text));
  }
}

// The next heartbeat of another member makes the target for those that are left.
void consumer_group::remove(const std::set<std::string>& members) {
  if (members.empty()) return;
  for (const std::string& id : members) {
    emit(consumer_tombstone(record_types::consumer_member_assignment, id_, id));
    emit(consumer_tombstone(record_types::consumer_member_target, id_, id));
    emit(consumer_tombstone(record_types::consumer_member, id_, id));
  }
  drop_unused_expressions();
  raise_epoch_if(true);
}

void consumer_group::start_timers() {
  const std::int64_t session_ms =
      config_ms("consumer.session.timeout.ms", outside_.settings.consumer_session_timeout_ms);
  for (const auto& [id, member] : members_) {
    timers& of_member = timers_[id];
    of_member.session_end =
        after_ms(member.is_classic() ? member.classic->session_timeout_ms : session_ms);
    if (member.state == consumer_member_state::unrevoked && !member.is_classic()) {
      of_member.revocation_end = after_ms(member.rebalance_timeout_ms);
    }
  }
}

std::optional<monotonic_time> consumer_group::next_deadline() const {
  std::optional<monotonic_time> earliest;
  for (const auto& [id, member] : timers_) {
    for (const auto& end :
         {member.session_end, member.revocation_end, member.join_end, member.sync_end}) {
      if (end && (!earliest || *end < *earliest)) earliest = end;
    }
  }
  return earliest;
}

// Who is silent, or does not give back or join in time, is out.
void consumer_group::expire() {
  const monotonic_time now = outside_.time.now();
  std::set<std::string> over;
  for (const auto& [id, member] : timers_) {
    for (const auto& end :
         {member.session_end, member.revocation_end, member.join_end, member.sync_end}) {
      if (end && *end <= now) over.insert(id);
    }
  }
  remove(over);
}

}  // namespace ringlog::broker
