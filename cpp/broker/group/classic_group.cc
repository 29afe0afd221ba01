#include "broker/group/classic_group.h"

#include <algorithm>
#include <limits>

#include "protocol/reader.h"
#include "protocol/stored/consumer_protocol/subscription.h"

namespace ringlog::broker {

namespace {

// Topics of a ConsumerProtocolSubscription. Version 0 is a prefix of all versions, so later ones
// need not be known.
std::optional<std::vector<std::string>> parse_subscribed_topics(bytes_view metadata) {
  protocol::reader in(metadata);
  in.read_integer<std::int16_t>();  // the version
  auto subscription = protocol::consumer_protocol_subscription::decode(in, 0);
  if (!in.finish_early("a subscription").ok()) return std::nullopt;
  return std::move(subscription.topics);
}

bool may_follow(group_state from, group_state to) {
  switch (to) {
    case group_state::empty:
      return from == group_state::preparing_rebalance;
    case group_state::preparing_rebalance:
      return from == group_state::empty || from == group_state::stable ||
             from == group_state::completing_rebalance;
    case group_state::completing_rebalance:
      return from == group_state::preparing_rebalance;
    case group_state::stable:
      return from == group_state::completing_rebalance;
    case group_state::dead:
      return true;
  }
  return false;
}

}  // namespace

std::string_view name_of(group_state state) {
  switch (state) {
    case group_state::empty:
      return "Empty";
    case group_state::preparing_rebalance:
      return "PreparingRebalance";
    case group_state::completing_rebalance:
      return "CompletingRebalance";
    case group_state::stable:
      return "Stable";
    case group_state::dead:
      return "Dead";
  }
  return "Dead";
}

classic_group::classic_group(std::string id, group_services outside)
    : id_(std::move(id)), outside_(outside), state_timestamp_(outside_.time.wall_ms()) {}

classic_group::classic_group(std::string id, const protocol::group_metadata_value& stored,
                             group_services outside)
    : id_(std::move(id)),
      outside_(outside),
      state_(stored.members.empty() ? group_state::empty : group_state::stable),
      state_timestamp_(stored.current_state_timestamp),
      generation_(stored.generation),
      protocol_(stored.protocol),
      leader_(stored.leader) {
  if (!stored.protocol_type.empty()) protocol_type_ = stored.protocol_type;
  for (const auto& source : stored.members) {
    group_member& loaded = members_[source.member_id];
    loaded.id = source.member_id;
    loaded.instance = source.group_instance_id;
    loaded.client_id = source.client_id;
    loaded.client_host = source.client_host;
    loaded.session_timeout_ms = source.session_timeout;
    loaded.rebalance_timeout_ms =
        source.rebalance_timeout == -1 ? source.session_timeout : source.rebalance_timeout;
    loaded.protocols = {{stored.protocol.value_or(""), source.subscription}};
    loaded.assignment = source.assignment;
    if (loaded.instance) static_members_[*loaded.instance] = loaded.id;
    touch(loaded);
  }
  if (leader_ && !members_.contains(*leader_)) leader_.reset();
  if (!leader_ && !members_.empty()) leader_ = members_.begin()->first;
  refresh_topics();
  // The largest allowed group may have become smaller: let its members commit and come again.
  if (static_cast<std::int64_t>(members_.size()) > outside_.settings.size_max) {
    group_outcome nobody_waits;
    prepare_rebalance(nobody_waits);
  }
}

void classic_group::take_over(std::map<std::string, std::vector<join_protocol>> protocols,
                              bool rebalances, group_outcome& outcome) {
  for (auto& [id, supported] : protocols) member(id).protocols = std::move(supported);
  if (rebalances) prepare_rebalance(outcome);
}

status classic_group::heartbeat(const group_member_identity& from) {
  TRY(check_member(from.member, from.instance));
  TRY(check_generation(from.generation));
  touch(member(from.member));
  if (state_ == group_state::preparing_rebalance) {
    return make_error(error_code::rebalance_in_progress, "group {} is rebalancing: join it again",
                      id_);
  }
  return {};
}

std::vector<std::optional<error>> classic_group::leave(const std::vector<leaving_member>& members,
                                                       group_outcome& outcome) {
  std::vector<std::optional<error>> answers;
  bool members_changed = false;
  for (const leaving_member& leaving : members) {
    std::string id = leaving.member;
    if (id.empty() && leaving.instance) {  // an administrator removes a static member
      const auto found = static_members_.find(*leaving.instance);
      if (found != static_members_.end()) id = found->second;
    }
    status known;
    if (!pending_joins_.contains(id)) known = check_member(id, leaving.instance);
    if (!known.ok()) {
      answers.emplace_back(std::move(known.failure()));
      continue;
    }
    members_changed |= remove(id, outcome);
    answers.emplace_back(std::nullopt);
  }
  after_removal(members_changed, outcome);
  return answers;
}

status classic_group::accept_commit(const group_member_identity& from) {
  if (state_ == group_state::dead) {
    return make_error(error_code::coordinator_not_available, "group {} was removed", id_);
  }
  if (from.generation < 0 && state_ == group_state::empty) return {};  // a simple consumer
  if (from.generation < 0 && from.member.empty() && !from.instance) {
    return make_error(error_code::unknown_member_id,
                      "group {} has active members: only they may commit its offsets", id_);
  }
  TRY(check_member(from.member, from.instance));
  TRY(check_generation(from.generation));
  if (state_ == group_state::completing_rebalance) {
    return make_error(error_code::rebalance_in_progress,
                      "group {} has not handed out the assignments of generation {} yet", id_,
                      generation_);
  }
  touch(member(from.member));
  return {};
}

void classic_group::die(const error& why, group_outcome& outcome) {
  move_to(group_state::dead);
  join_deadline_.reset();
  sync_deadline_.reset();
  pending_joins_.clear();
  for (auto& [id, member] : members_) {
    if (member.awaits_join()) {
      outcome.answer(std::exchange(member.join_waiter, nullptr), result<join_group_answer>(why));
    }
    if (member.awaits_sync()) {
      outcome.answer(std::exchange(member.sync_waiter, nullptr), result<sync_group_answer>(why));
    }
  }
}

bool classic_group::is_subscribed_to(const std::string& topic) const {
  return topics_ ? topics_->contains(topic) : uses_consumer_protocol();
}

protocol::group_metadata_value classic_group::to_stored() const {
  protocol::group_metadata_value stored;
  stored.protocol_type = protocol_type();
  stored.generation = generation_;
  stored.protocol = protocol_;
  stored.leader = leader_;
  stored.current_state_timestamp = state_timestamp_;
  const auto to_int32 = [](std::int64_t ms) {
    return static_cast<std::int32_t>(
        std::min<std::int64_t>(ms, std::numeric_limits<std::int32_t>::max()));
  };
  for (const auto& [id, source] : members_) {
    const join_protocol* chosen = source.find_protocol(protocol_.value_or(""));
    CHECK(chosen != nullptr, "a member without the group's protocol", id_, id);
    stored.members.push_back({.member_id = id,
                              .group_instance_id = source.instance,
                              .client_id = source.client_id,
                              .client_host = source.client_host,
                              .rebalance_timeout = to_int32(source.rebalance_timeout_ms),
                              .session_timeout = to_int32(source.session_timeout_ms),
                              .subscription = chosen->metadata,
                              .assignment = source.assignment,
                              .unknown_tagged_fields = {}});
  }
  return stored;
}

status classic_group::check_member(const std::string& member,
                                   const std::optional<std::string>& instance) const {
  if (state_ == group_state::dead) {
    return make_error(error_code::coordinator_not_available, "group {} was removed", id_);
  }
  if (instance) {
    const auto known = static_members_.find(*instance);
    if (known != static_members_.end() && known->second != member) {
      return make_error(error_code::fenced_instance_id,
                        "group.instance.id {} of group {} is in use by member {}: another client "
                        "joined with it",
                        *instance, id_, known->second);
    }
  }
  if (!members_.contains(member) || (instance && !static_members_.contains(*instance))) {
    return make_error(error_code::unknown_member_id, "group {} has no member '{}'", id_, member);
  }
  return {};
}

status classic_group::check_generation(std::int32_t generation) const {
  if (generation == generation_) return {};
  return make_error(error_code::illegal_generation, "group {} is at generation {}, not {}", id_,
                    generation_, generation);
}

group_member& classic_group::member(const std::string& id) {
  const auto found = members_.find(id);
  CHECK(found != members_.end(), "no such member", id_, id);
  return found->second;
}

std::int64_t classic_group::rebalance_timeout_ms() const {
  std::int64_t longest = 0;
  for (const auto& [id, member] : members_) {
    longest = std::max(longest, member.rebalance_timeout_ms);
  }
  return longest;
}

// Takes a member out, in whatever phase it is. Its parked requests are told that it is unknown, so
// that a client that is still there joins anew. False when it was an id that never joined.
bool classic_group::remove(const std::string& id, group_outcome& outcome) {
  pending_joins_.erase(id);
  const auto found = members_.find(id);
  if (found == members_.end()) return false;
  group_member removed = std::move(found->second);
  members_.erase(found);
  const error why{error_code::unknown_member_id,
                  fmt::format("member {} was removed from group {}", removed.id, id_)};
  if (removed.awaits_join()) {
    outcome.answer(std::move(removed.join_waiter), result<join_group_answer>(why));
  }
  if (removed.awaits_sync()) {
    outcome.answer(std::move(removed.sync_waiter), result<sync_group_answer>(why));
  }
  if (removed.instance) static_members_.erase(*removed.instance);
  if (leader_ == removed.id) {
    leader_.reset();
    if (!members_.empty()) leader_ = members_.begin()->first;
  }
  return true;
}

void classic_group::touch(group_member& member, std::int64_t timeout_ms) {
  member.session_end = after_ms(timeout_ms);
}

monotonic_time classic_group::after_ms(std::int64_t distance_ms) const {
  return outside_.time.now() + milliseconds(distance_ms);
}

void classic_group::move_to(group_state state) {
  CHECK(may_follow(state_, state), "group state", id_, name_of(state_), name_of(state));
  previous_state_ = state_;
  state_ = state;
  state_timestamp_ = outside_.time.wall_ms();
}

void classic_group::refresh_topics() {
  topics_.reset();
  if (!uses_consumer_protocol()) return;
  std::set<std::string> all;
  for (const auto& [id, member] : members_) {
    const join_protocol* chosen = member.find_protocol(protocol_.value_or(""));
    if (chosen == nullptr) return;
    auto topics = parse_subscribed_topics(chosen->metadata);
    if (!topics) return;
    all.insert(topics->begin(), topics->end());
  }
  topics_ = std::move(all);
}

}  // namespace ringlog::broker
