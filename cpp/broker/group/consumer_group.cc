#include "broker/group/consumer_group.h"

#include <algorithm>

#include "broker/group/consumer_protocol.h"

// Records and what they make of the group; what others may see of it.
namespace ringlog::broker {

consumer_group::consumer_group(std::string id, consumer_group_services outside)
    : id_(std::move(id)), outside_(outside) {}

monotonic_time consumer_group::after_ms(std::int64_t distance_ms) const {
  return outside_.time.now() + milliseconds(distance_ms);
}

void consumer_group::emit(coordinator_record record) {
  const auto key = parse_group_key(record.key);
  CHECK(key.ok(), "our own record cannot be read", id_);
  std::optional<bytes_view> value;
  if (record.value) value = *record.value;
  apply(*key, value);
  records_.push_back(std::move(record));
}

void consumer_group::log_unreadable(const group_record_key& key, const error& why) const {
  outside_.sink.log(log_level::warning, "a record of type {} of group {} is left out: {}", key.type,
                    id_, why.message);
}

template <typename Value>
std::optional<Value> consumer_group::readable(const group_record_key& key,
                                              result<Value> parsed) const {
  if (parsed.ok()) return std::move(*parsed);
  log_unreadable(key, parsed.failure());
  return std::nullopt;
}

void consumer_group::apply(const group_record_key& key, std::optional<bytes_view> value) {
  const std::string& name = key.second_name;
  switch (key.type) {
    case record_types::consumer_group: {
      const auto stored = value ? readable(key, parse_consumer_group(*value)) : std::nullopt;
      epoch_ = stored ? stored->epoch : 0;
      metadata_hash_ = stored ? stored->metadata_hash : 0;
      break;
    }
    case record_types::consumer_group_topics:
      has_topics_record_ = value.has_value();
      break;
    case record_types::consumer_member:
      apply_member(name, value);
      break;
    case record_types::consumer_target: {
      const auto stored = value ? readable(key, parse_consumer_target(*value)) : std::nullopt;
      target_ = stored.value_or(stored_consumer_target{});
      break;
    }
    case record_types::consumer_member_target: {
      auto stored = value ? readable(key, parse_member_target(*value)) : std::nullopt;
      if (stored) {
        targets_[name] = std::move(*stored);
      } else {
        targets_.erase(name);
      }
      break;
    }
    case record_types::consumer_member_assignment:
      apply_assignment(name, value);
      break;
    case record_types::consumer_expression: {
      auto stored = value ? readable(key, parse_expression(*value)) : std::nullopt;
      if (stored) {
        expressions_[name] = std::move(*stored);
      } else {
        expressions_.erase(name);
      }
      break;
    }
    default:
      CHECK(false, "not a record of a consumer group", id_, key.type);
  }
}

// Compaction may have taken a member's first records.
consumer_member& consumer_group::member_of_record(const std::string& member) {
  consumer_member& found = members_[member];
  found.id = member;
  return found;
}

void consumer_group::apply_member(const std::string& id, std::optional<bytes_view> value) {
  if (!value) {
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    set_held(found->second, consumer_member{});
    const auto& instance = found->second.instance;
    if (instance) {
      const auto mapped = static_members_.find(*instance);
      if (mapped != static_members_.end() && mapped->second == id) static_members_.erase(mapped);
    }
    members_.erase(found);
    timers_.erase(id);
    return;
  }
  consumer_member read = member_of_record(id);
  const status readable_value = read_member(*value, read);
  if (!readable_value.ok()) {
    log_unreadable({record_types::consumer_member, id_, {}, id}, readable_value.failure());
    return;
  }
  if (read.instance) static_members_[*read.instance] = id;
  members_[id] = std::move(read);
}

void consumer_group::apply_assignment(const std::string& id, std::optional<bytes_view> value) {
  if (!value) {
    const auto found = members_.find(id);
    if (found == members_.end()) return;
    consumer_member without = found->second;
    without.epoch = leaving_epoch;
    without.previous_epoch = leaving_epoch;
    without.state = consumer_member_state::stable;
    without.assigned.clear();
    without.to_revoke.clear();
    set_held(found->second, std::move(without));
    return;
  }
  consumer_member next = member_of_record(id);
  const status readable_value = read_member_assignment(*value, next);
  if (!readable_value.ok()) {
    log_unreadable({record_types::consumer_member_assignment, id_, {}, id},
                   readable_value.failure());
    return;
  }
  set_held(members_[id], std::move(next));
}

// Compaction keeps a member's last record only, so that others may seem to own what it has: the
// last one to get a partition owns it.
void consumer_group::set_held(consumer_member& member, consumer_member next) {
  const std::string id = member.id;
  for (const held_partitions* held : {&member.assigned, &member.to_revoke}) {
    for (const auto& [topic, partitions] : *held) {
      for (const auto& [partition, epoch] : partitions) {
        const auto owner = owners_.find({topic, partition});
        if (owner != owners_.end() && owner->second == id) owners_.erase(owner);
      }
    }
  }
  for (const held_partitions* held : {&next.assigned, &next.to_revoke}) {
    for (const auto& [topic, partitions] : *held) {
      for (const auto& [partition, epoch] : partitions) owners_[{topic, partition}] = id;
    }
  }
  member.epoch = next.epoch;
  member.previous_epoch = next.previous_epoch;
  member.state = next.state;
  member.assigned = std::move(next.assigned);
  member.to_revoke = std::move(next.to_revoke);
}

std::vector<coordinator_record> consumer_group::tombstones() const {
  std::vector<coordinator_record> all;
  const auto remove = [&](std::int16_t type, const std::string& name = "") {
    all.push_back(consumer_tombstone(type, id_, name));
  };
  for (const auto& [id, member] : members_) remove(record_types::consumer_member_assignment, id);
  for (const auto& [id, target] : targets_) remove(record_types::consumer_member_target, id);
  remove(record_types::consumer_target);
  for (const auto& [id, member] : members_) remove(record_types::consumer_member, id);
  for (const auto& [text, topics] : expressions_) remove(record_types::consumer_expression, text);
  if (has_topics_record_) remove(record_types::consumer_group_topics);
  remove(record_types::consumer_group);
  return all;
}

std::string_view consumer_group::state_name() const {
  if (members_.empty()) return "Empty";
  if (epoch_ > target_.epoch) return "Assigning";
  const bool is_stable = std::ranges::all_of(
      members_, [&](const auto& entry) { return entry.second.is_reconciled_to(target_.epoch); });
  return is_stable ? "Stable" : "Reconciling";
}

std::set<std::string> consumer_group::topics_of(const consumer_member& member) const {
  std::set<std::string> topics = member.topics;
  if (member.expression) {
    const auto found = expressions_.find(*member.expression);
    if (found != expressions_.end()) {
      topics.insert(found->second.topics.begin(), found->second.topics.end());
    }
  }
  return topics;
}

bool consumer_group::is_subscribed_to(const std::string& topic) const {
  return std::ranges::any_of(
      members_, [&](const auto& entry) { return topics_of(entry.second).contains(topic); });
}

// What most members ask for.
std::string consumer_group::preferred_assignor() const {
  std::map<std::string, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    if (member.assignor) ++votes[*member.assignor];
  }
  const auto most =
      std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  return most == votes.end() ? outside_.settings.consumer_assignors.front() : most->first;
}

status consumer_group::check_commit(const group_member_identity& from,
                                    const offsets_to_commit& offsets,
                                    bool knows_member_epochs) const {
  if (from.generation < 0 && members_.empty()) return {};  // a simple consumer
  const auto found = members_.find(from.member);
  if (found == members_.end()) {
    return make_error(error_code::unknown_member_id, "Member {} is not a member of group {}.",
                      from.member, id_);
  }
  const consumer_member& member = found->second;
  if (!member.is_classic() && !knows_member_epochs) {
    return error{error_code::unsupported,
                 "OffsetCommit version 9 or above must be used by members using the consumer group "
                 "protocol"};
  }
  if (from.generation == member.epoch) return {};
  const error_code code =
      member.is_classic() ? error_code::illegal_generation : consumer_failures::stale_member_epoch;
  if (from.generation > member.epoch) {
    return make_error(code, "member epoch {} is ahead of the one known, {}", from.generation,
                      member.epoch);
  }
  // KIP-1251: what the member has had since that epoch it may still commit.
  for (const auto& [tp, offset] : offsets) {
    const auto topic = outside_.metadata.find_id(tp);
    const std::int32_t partition = tp.partition.value();
    std::optional<std::int32_t> since;
    for (const held_partitions* held : {&member.assigned, &member.to_revoke}) {
      if (topic && contains(*held, *topic, partition)) since = held->at(*topic).at(partition);
    }
    if (!since || from.generation < *since) {
      return make_error(code,
                        "member epoch {} is older than the assignment of {}, member {} is at {}",
                        from.generation, tp.to_string(), member.id, member.epoch);
    }
  }
  return {};
}

status consumer_group::check_fetch(const offset_fetch_request& request) const {
  if (!request.member && request.member_epoch < 0) return {};  // an administrator
  const auto found = members_.find(request.member.value_or(""));
  if (found == members_.end()) {
    return make_error(error_code::unknown_member_id, "Member {} is not a member of group {}.",
                      request.member.value_or(""), id_);
  }
  if (request.member_epoch == found->second.epoch) return {};
  return make_error(found->second.is_classic() ? error_code::illegal_generation
                                               : consumer_failures::stale_member_epoch,
                    "member {} is at epoch {}, not {}", found->first, found->second.epoch,
                    request.member_epoch);
}

described_group consumer_group::describe_as_classic() const {
  described_group described;
  described.group = id_;
  described.state = state_name();
  described.protocol_type = "consumer";
  described.protocol = preferred_assignor();
  described.type = "Consumer";
  for (const auto& [id, member] : members_) {
    const auto topics = topics_of(member);
    described_member target{id, member.instance, member.client_id, member.client_host, {}, {}};
    target.metadata = write_subscription({topics.begin(), topics.end()});
    target.assignment =
        write_assignment(without_epochs(member.assigned), target.metadata, outside_.metadata);
    described.members.push_back(std::move(target));
  }
  return described;
}

described_consumer_group consumer_group::describe() const {
  described_consumer_group described;
  described.group = id_;
  described.state = state_name();
  described.epoch = epoch_;
  described.assignment_epoch = target_.epoch;
  described.assignor = preferred_assignor();
  for (const auto& [id, member] : members_) {
    described_consumer_member target;
    target.member = id;
    target.instance = member.instance;
    target.rack = member.rack;
    target.epoch = member.epoch;
    target.client_id = member.client_id;
    target.client_host = member.client_host;
    target.topics.assign(member.topics.begin(), member.topics.end());
    target.topic_expression = member.expression;
    target.assignment = without_epochs(member.assigned);
    const auto found = targets_.find(id);
    if (found != targets_.end()) target.target = found->second;
    target.is_classic = member.is_classic();
    described.members.push_back(std::move(target));
  }
  return described;
}

}  // namespace ringlog::broker
