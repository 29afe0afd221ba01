#include <algorithm>

#include "broker/group/classic_group.h"
#include "broker/group/member_id.h"

// The join phase's requests: who may come in, as whom.
namespace ringlog::broker {

namespace {
// New members wait this long in a join at most (Kafka: classicGroupNewMemberJoinTimeoutMs): nobody
// would notice that their client has gone.
constexpr std::int64_t new_member_join_timeout_ms = 5 * 60 * 1000;
}  // namespace

void classic_group::join(join_group_request request, reply<join_group_answer> done,
                         group_outcome& outcome) {
  if (state_ == group_state::dead) {
    outcome.answer<join_group_answer>(
        std::move(done),
        make_error(error_code::coordinator_not_available, "group {} was removed", id_));
    return;
  }
  if (!has_room_for(request.member)) {
    remove(request.member, outcome);
    outcome.answer<join_group_answer>(
        std::move(done), make_error(error_code::group_max_size_reached,
                                    "group {} already has group.max.size={} members", id_,
                                    outside_.settings.size_max));
    return;
  }
  if (!supports(request.protocol_type, request.protocols)) {
    outcome.answer<join_group_answer>(
        std::move(done),
        make_error(error_code::inconsistent_group_protocol,
                   "group {} of protocol type '{}' shares no protocol with a member of type '{}': "
                   "all members need one assignor in common",
                   id_, protocol_type(), request.protocol_type));
    return;
  }
  if (request.member.empty()) {
    join_new(std::move(request), std::move(done), outcome);
  } else {
    join_known(std::move(request), std::move(done), outcome);
  }
}

bool classic_group::has_room_for(const std::string& id) const {
  const auto found = members_.find(id);
  const bool is_member = found != members_.end();
  const std::int64_t size_max = outside_.settings.size_max;
  if (state_ == group_state::empty) return true;
  if (state_ == group_state::preparing_rebalance) {
    // Who waits counts, not who is a member: the last ones to come back do not fit any more.
    const auto waiting = std::count_if(members_.begin(), members_.end(), [](const auto& entry) {
      return entry.second.awaits_join();
    });
    return (is_member && found->second.awaits_join()) || waiting < size_max;
  }
  return is_member || static_cast<std::int64_t>(members_.size()) < size_max;
}

bool classic_group::supports(const std::string& protocol_type,
                             const std::vector<join_protocol>& protocols) const {
  if (state_ == group_state::empty) return !protocol_type.empty() && !protocols.empty();
  if (protocol_type_ != protocol_type) return false;
  return std::any_of(protocols.begin(), protocols.end(), [&](const join_protocol& protocol) {
    return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
      return entry.second.find_protocol(protocol.name) != nullptr;
    });
  });
}

void classic_group::join_new(join_group_request request, reply<join_group_answer> done,
                             group_outcome& outcome) {
  std::string new_id =
      make_member_id(request.instance.value_or(request.client_id), outside_.random);
  if (request.instance) {
    const auto existing = static_members_.find(*request.instance);
    if (existing != static_members_.end()) {
      const std::string old_id = existing->second;
      replace_static_member(std::move(request), old_id, std::move(new_id), std::move(done),
                            outcome);
      return;
    }
  } else if (request.member_id_required) {
    pending_joins_[new_id] = after_ms(request.session_timeout_ms);
    join_group_answer answer;
    answer.member = std::move(new_id);
    answer.member_id_required = true;
    outcome.answer<join_group_answer>(std::move(done), std::move(answer));
    return;
  }
  add_member(std::move(request), std::move(new_id), std::move(done), outcome);
}

void classic_group::join_known(join_group_request request, reply<join_group_answer> done,
                               group_outcome& outcome) {
  if (pending_joins_.contains(request.member) && !request.instance) {
    std::string id = request.member;
    add_member(std::move(request), std::move(id), std::move(done), outcome);
    return;
  }
  status known = check_member(request.member, request.instance);
  if (!known.ok()) {
    outcome.answer<join_group_answer>(std::move(done), std::move(known.failure()));
    return;
  }
  group_member& joining = member(request.member);
  const bool unchanged = joining.has_protocols(request.protocols);
  // A leader that joins a stable group again wants a rebalance: it saw something that the members'
  // metadata does not tell, such as new partitions. Others who say nothing new merely missed the
  // answer.
  const bool answer_now = unchanged && (state_ == group_state::completing_rebalance ||
                                        (state_ == group_state::stable && leader_ != joining.id));
  if (answer_now) {
    touch(joining);
    outcome.answer<join_group_answer>(std::move(done), current_generation_for(joining));
    return;
  }
  update_member(joining, std::move(request), std::move(done));
  rebalance_or_complete_join(outcome);
}

void classic_group::add_member(join_group_request request, std::string id,
                               reply<join_group_answer> done, group_outcome& outcome) {
  if (initial_delay_) new_member_added_ = true;
  if (members_.empty()) protocol_type_ = request.protocol_type;
  if (!leader_) leader_ = id;
  pending_joins_.erase(id);
  if (request.instance) static_members_[*request.instance] = id;

  group_member& added = members_[id];
  added.id = std::move(id);
  added.instance = request.instance;
  added.client_id = request.client_id;
  added.client_host = request.client_host;
  added.is_new = true;
  update_member(added, std::move(request), std::move(done));
  touch(added, new_member_join_timeout_ms);
  rebalance_or_complete_join(outcome);
}

void classic_group::update_member(group_member& target, join_group_request request,
                                  reply<join_group_answer> done) {
  // A client that asks twice has given up the first request; its answer goes nowhere any more, but
  // every request gets one.
  if (target.awaits_join()) {
    reply<join_group_answer> first = std::exchange(target.join_waiter, nullptr);
    done = [first = std::move(first),
            second = std::move(done)](result<join_group_answer> answer) mutable {
      first(answer);
      second(std::move(answer));
    };
  }
  target.protocols = std::move(request.protocols);
  target.rebalance_timeout_ms = request.rebalance_timeout_ms;
  target.session_timeout_ms = request.session_timeout_ms;
  target.join_waiter = std::move(done);
}

// A static member that comes back without its id takes the place of its former self, assignment
// included, and the former self is fenced.
void classic_group::replace_static_member(join_group_request request, const std::string& old_id,
                                          std::string new_id, reply<join_group_answer> done,
                                          group_outcome& outcome) {
  auto node = members_.extract(old_id);
  CHECK(!node.empty(), "a static member that is no member", id_, old_id);
  node.key() = new_id;
  group_member& replaced = members_.insert(std::move(node)).position->second;
  const error fenced{error_code::fenced_instance_id,
                     fmt::format("another client joined group {} with group.instance.id {}", id_,
                                 *request.instance)};
  if (replaced.awaits_join()) {
    outcome.answer<join_group_answer>(std::exchange(replaced.join_waiter, nullptr), fenced);
  }
  if (replaced.awaits_sync()) {
    outcome.answer<sync_group_answer>(std::exchange(replaced.sync_waiter, nullptr), fenced);
  }
  replaced.id = new_id;
  static_members_[*request.instance] = new_id;
  if (leader_ == old_id) leader_ = new_id;
  update_member(replaced, std::move(request), std::move(done));
  touch(replaced);

  if (state_ == group_state::stable) {
    if (select_protocol() == protocol_) {
      store_replaced_member(new_id, outcome);
    } else {
      prepare_rebalance(outcome);
    }
  } else if (state_ == group_state::completing_rebalance) {
    // The leader may assign to the old id already.
    prepare_rebalance(outcome);
  } else {
    complete_join_if_all_joined(outcome);
  }
}

// Nothing changes for the others, so there is no rebalance; the new id must be durable before its
// client hears of it.
void classic_group::store_replaced_member(const std::string& id, group_outcome& outcome) {
  refresh_topics();
  group_store store{to_stored(), nullptr};
  store.after = [id](classic_group& self, const status& stored, group_outcome& after) {
    const auto found = self.members_.find(id);
    if (found == self.members_.end() || !found->second.awaits_join()) return;
    if (self.state_ == group_state::preparing_rebalance) return;  // it waits for that now
    group_member& replaced = found->second;
    result<join_group_answer> answer = self.current_generation_for(replaced);
    if (!stored.ok()) {
      answer = stored.failure();
    } else if (self.leader_ == id) {
      answer->skip_assignment = true;  // KIP-814: assignments stand
    }
    self.touch(replaced);
    after.answer(std::exchange(replaced.join_waiter, nullptr), std::move(answer));
  };
  outcome.store = std::move(store);
}

join_group_answer classic_group::current_generation_for(const group_member& receiver) const {
  join_group_answer answer;
  answer.generation = generation_;
  answer.protocol_type = protocol_type();
  answer.protocol = protocol_.value_or("");
  answer.leader = leader_.value_or("");
  answer.member = receiver.id;
  if (leader_ == receiver.id) {
    for (const auto& [id, source] : members_) {
      const join_protocol* chosen = source.find_protocol(answer.protocol);
      CHECK(chosen != nullptr, "a member without the group's protocol", id_, id);
      answer.members.push_back({id, source.instance, chosen->metadata});
    }
  }
  return answer;
}

}  // namespace ringlog::broker
