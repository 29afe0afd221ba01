#include "broker/group/group_shard.h"

#include <algorithm>

namespace ringlog::broker {

namespace {

error not_found(const std::string& group) {
  return make_error(error_code::group_id_not_found, "Group {} not found.", group);
}

error being_deleted(const std::string& group) {
  return make_error(error_code::coordinator_not_available, "group {} is being deleted: try again",
                    group);
}

void add_all(std::vector<coordinator_record>& records, std::vector<coordinator_record> more) {
  for (coordinator_record& record : more) records.push_back(std::move(record));
}

}  // namespace

group_shard::group_shard(std::shared_ptr<coordinator_log> log, shard_services outside)
    : log_(std::move(log)), outside_(outside) {}

group_shard::~group_shard() {
  for (auto& [id, entry] : groups_) outside_.engine.cancel(entry.timer);
  outside_.engine.cancel(clean_up_timer_);
}

void group_shard::run(answers& to_run) {
  for (task& answer : to_run) answer();
}

group_services group_shard::for_groups() const {
  return {outside_.settings, outside_.time, outside_.random};
}

group_shard::group_entry* group_shard::find(const std::string& group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

// A group that a member says it is in.
result<group_shard::group_entry*> group_shard::find_member_group(const std::string& group) {
  group_entry* entry = find(group);
  if (entry == nullptr || (!entry->classic && !entry->consumer)) {
    return make_error(error_code::unknown_member_id, "Group {} not found.", group);
  }
  if (entry->deleting) return being_deleted(group);
  return entry;
}

bool group_shard::kept_members_alive(const group_entry& entry) const {
  return entry.kept && entry.kept->has_members() &&
         outside_.time.now() - loaded_at_ <
             milliseconds(outside_.settings.consumer_session_timeout_ms);
}

// Makes sure that the group is there and classic. An empty group of the consumer protocol becomes
// a classic one, as in Kafka.
status group_shard::make_classic(const join_group_request& request) {
  group_entry* entry = find(request.group);
  if (entry != nullptr && entry->deleting) return being_deleted(request.group);
  if (entry != nullptr && entry->classic) return {};
  if (!request.member.empty()) {
    return make_error(error_code::unknown_member_id, "Group {} not found.", request.group);
  }
  if (entry != nullptr && entry->kept) {
    return make_error(error_code::inconsistent_group_protocol,
                      "group {} is a {} group, which the classic protocol cannot join",
                      request.group, entry->kept->protocol_type());
  }
  if (entry != nullptr && entry->consumer) {
    log_->append(entry->consumer->tombstones(), [](const result<offset_t>&) {});
    entry->consumer.reset();
  }
  groups_[request.group].classic.emplace(request.group, for_groups());
  return {};
}

void group_shard::join(join_group_request request, reply<join_group_answer> done) {
  answers to_run;
  {
    const std::lock_guard guard(mutex_);
    group_entry* before = find(request.group);
    const bool is_new = before == nullptr || !before->classic;
    const bool is_consumer = find_consumer(request.group) != nullptr;
    group_outcome outcome;
    if (is_consumer && !before->consumer->is_empty()) {
      const std::string id = request.group;
      auto joined = before->consumer->join(request);
      settle<join_group_answer>(id, *before, std::move(done), std::move(joined), to_run);
    } else if (status ready = make_classic(request); !ready.ok()) {
      outcome.answer<join_group_answer>(std::move(done), std::move(ready.failure()));
      to_run = std::move(outcome.answers);
    } else {
      const std::string id = request.group;
      group_entry& entry = groups_[id];
      // The record of a group without members makes the group known to Kafka's tools at once.
      if (is_new) outcome.store = group_store{entry.classic->to_stored(), nullptr};
      entry.classic->join(std::move(request), std::move(done), outcome);
      finish(id, entry, std::move(outcome), to_run);
    }
  }
  run(to_run);
}

void group_shard::sync(sync_group_request request, reply<sync_group_answer> done) {
  answers to_run;
  {
    const std::lock_guard guard(mutex_);
    const std::string id = request.group;
    group_outcome outcome;
    auto entry = find_member_group(id);
    if (entry.ok() && (*entry)->consumer) {
      settle<sync_group_answer>(id, **entry, std::move(done), (*entry)->consumer->sync(request),
                                to_run);
    } else if (!entry.ok()) {
      outcome.answer<sync_group_answer>(std::move(done), std::move(entry.failure()));
      to_run = std::move(outcome.answers);
    } else {
      (*entry)->classic->sync(std::move(request), std::move(done), outcome);
      finish(id, **entry, std::move(outcome), to_run);
    }
  }
  run(to_run);
}

status group_shard::heartbeat(const group_member_identity& from) {
  const std::lock_guard guard(mutex_);
  TRY_ASSIGN(group_entry * entry, find_member_group(from.group));
  if (!entry->consumer) return entry->classic->heartbeat(from);
  const status alive = entry->consumer->classic_heartbeat(from);
  arm(from.group, *entry);
  return alive;
}

void group_shard::leave(const std::string& group, const std::vector<leaving_member>& members,
                        reply<std::vector<std::optional<error>>> done) {
  using left_members = std::vector<std::optional<error>>;
  answers to_run;
  {
    const std::lock_guard guard(mutex_);
    const auto entry = find_member_group(group);
    group_outcome outcome;
    if (!entry.ok()) {
      outcome.answer<left_members>(std::move(done), entry.failure());
      to_run = std::move(outcome.answers);
    } else if ((*entry)->consumer) {
      settle<left_members>(group, **entry, std::move(done), (*entry)->consumer->leave(members),
                           to_run);
    } else {
      left_members left = (*entry)->classic->leave(members, outcome);
      outcome.answer<left_members>(std::move(done), std::move(left));
      finish(group, **entry, std::move(outcome), to_run);
    }
  }
  run(to_run);
}

// Takes what a group asks for after a change: its record goes to the log, its timer is set, its
// answers wait for the mutex to be free.
void group_shard::finish(const std::string& id, group_entry& entry, group_outcome outcome,
                         answers& to_run) {
  for (task& answer : outcome.answers) to_run.push_back(std::move(answer));
  if (outcome.store) {
    std::vector<coordinator_record> records;
    records.push_back(group_record(id, outcome.store->value));
    log_->append(
        std::move(records), [weak = weak_from_this(), id, after = std::move(outcome.store->after)](
                                const result<offset_t>& appended) mutable {
          const auto self = weak.lock();
          if (self == nullptr) return;
          self->stored(id, appended.ok() ? status{} : status{appended.failure()}, std::move(after));
        });
  }
  arm(id, entry);
}

void group_shard::stored(const std::string& id, const status& outcome,
                         callback<void(classic_group&, const status&, group_outcome&)> after) {
  if (!outcome.ok()) {
    outside_.sink.log(log_level::warning, "group {} could not be stored: {}", id,
                      outcome.failure().message);
  }
  if (!after) return;
  answers to_run;
  {
    const std::lock_guard guard(mutex_);
    group_entry* entry = find(id);
    if (entry == nullptr || !entry->classic) return;
    group_outcome further;
    after(*entry->classic, outcome, further);
    finish(id, *entry, std::move(further), to_run);
  }
  run(to_run);
}

// One timer per group, never set back: heartbeats only move deadlines away, so it may fire with
// nothing to do and is set again then.
void group_shard::arm(const std::string& id, group_entry& entry) {
  std::optional<monotonic_time> next;
  if (entry.classic) next = entry.classic->next_deadline();
  if (entry.consumer) next = entry.consumer->next_deadline();
  if (!next || (entry.timer_at && *entry.timer_at <= *next)) return;
  outside_.engine.cancel(entry.timer);
  entry.timer_at = next;
  entry.timer = outside_.engine.schedule_at(*next, [weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->on_timer(id);
  });
}

void group_shard::on_timer(const std::string& id) {
  answers to_run;
  {
    const std::lock_guard guard(mutex_);
    group_entry* entry = find(id);
    if (entry == nullptr) return;
    entry->timer_at.reset();
    if (entry->consumer) {
      if (!entry->deleting) entry->consumer->expire();
      store_consumer(id, *entry, true, nullptr, to_run);
    } else if (entry->classic) {
      group_outcome outcome;
      entry->classic->expire(outcome);
      finish(id, *entry, std::move(outcome), to_run);
    }
  }
  run(to_run);
}

void group_shard::forget_groups(const error& why, answers& to_run) {
  for (auto& [id, entry] : groups_) {
    outside_.engine.cancel(entry.timer);
    if (!entry.classic) continue;
    group_outcome outcome;
    entry.classic->die(why, outcome);
    for (task& answer : outcome.answers) to_run.push_back(std::move(answer));
  }
  groups_.clear();
  open_transactions_.clear();
  outside_.engine.cancel(clean_up_timer_);
}

void group_shard::unload(const error& why) {
  answers to_run;
  {
    const std::lock_guard guard(mutex_);
    state_ = load_state::unloaded;
    failure_ = why;
    forget_groups(why, to_run);
    for (auto& waiter : std::exchange(load_waiters_, {})) {
      to_run.push_back([waiter = std::move(waiter), why]() mutable { waiter(why); });
    }
  }
  run(to_run);
}

std::vector<listed_group> group_shard::list() {
  const std::lock_guard guard(mutex_);
  std::vector<listed_group> all;
  for (const auto& [id, entry] : groups_) {
    if (entry.classic) {
      all.push_back({id, entry.classic->protocol_type(),
                     std::string(name_of(entry.classic->state())), "Classic"});
    } else if (entry.consumer) {
      all.push_back({id, "consumer", std::string(entry.consumer->state_name()), "Consumer"});
    } else if (entry.kept) {
      all.push_back({id, std::string(entry.kept->protocol_type()),
                     std::string(entry.kept->state_name()), std::string(entry.kept->type_name())});
    }
  }
  return all;
}

result<described_group> group_shard::describe(const std::string& group) {
  const std::lock_guard guard(mutex_);
  const group_entry* entry = find(group);
  described_group described;
  described.group = group;
  if (entry != nullptr && entry->classic) {
    const classic_group& source = *entry->classic;
    const bool is_stable = source.state() == group_state::stable;
    described.state = name_of(source.state());
    described.protocol_type = source.protocol_type();
    described.type = "Classic";
    if (is_stable) described.protocol = source.protocol().value_or("");
    for (const auto& [id, member] : source.members()) {
      described_member target{id, member.instance, member.client_id, member.client_host, {}, {}};
      if (is_stable) {  // before, metadata and assignment do not belong together
        const join_protocol* chosen = member.find_protocol(described.protocol);
        if (chosen != nullptr) target.metadata = chosen->metadata;
        target.assignment = member.assignment;
      }
      described.members.push_back(std::move(target));
    }
    return described;
  }
  if (entry != nullptr && entry->consumer) return entry->consumer->describe_as_classic();
  if (entry != nullptr && entry->kept) {
    described.state = entry->kept->state_name();
    described.protocol_type = entry->kept->protocol_type();
    described.type = entry->kept->type_name();
    described.members = entry->kept->describe_members(outside_.metadata);
    return described;
  }
  return not_found(group);
}

void group_shard::delete_group(const std::string& group, callback<void(status)> done) {
  status refused;
  {
    const std::lock_guard guard(mutex_);
    group_entry* entry = find(group);
    if (entry == nullptr || entry->deleting || entry->has_no_protocol()) {
      refused = not_found(group);
    } else if (entry->has_members() || kept_members_alive(*entry)) {
      refused = make_error(error_code::non_empty_group, "group {} still has members", group);
    } else {
      std::vector<coordinator_record> records;
      for (const topic_partition& tp : entry->offsets.partitions()) {
        records.push_back(offset_tombstone(group, tp));
      }
      if (entry->classic) records.push_back(group_tombstone(group));
      if (entry->consumer) add_all(records, entry->consumer->tombstones());
      if (entry->kept) add_all(records, entry->kept->tombstones());
      entry->deleting = true;
      append_and_apply(std::move(records), [weak = weak_from_this(), group, done = std::move(done)](
                                               const status& appended) mutable {
        if (const auto self = weak.lock(); self != nullptr && !appended.ok()) {
          const std::lock_guard guard_again(self->mutex_);
          if (group_entry* kept = self->find(group)) kept->deleting = false;
        }
        done(appended);
      });
      return;
    }
  }
  done(refused);
}

}  // namespace ringlog::broker
