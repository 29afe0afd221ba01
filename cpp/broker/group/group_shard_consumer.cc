#include "broker/group/group_shard.h"

// Consumer groups: their requests, and how what they change is stored.
namespace ringlog::broker {

consumer_group_services group_shard::for_consumer_groups() const {
  return {outside_.settings, outside_.time, outside_.random, outside_.metadata, outside_.sink};
}

group_shard::group_entry* group_shard::find_consumer(const std::string& group) {
  group_entry* entry = find(group);
  return entry != nullptr && entry->consumer && !entry->deleting ? entry : nullptr;
}

// What shall be the group when the heartbeat is accepted; null when it is one already.
result<std::unique_ptr<consumer_group>> group_shard::make_consumer(
    const consumer_heartbeat_request& request) {
  const group_entry* entry = find(request.group);
  if (entry != nullptr && entry->deleting) {
    return make_error(error_code::coordinator_not_available, "group {} is being deleted: try again",
                      request.group);
  }
  if (entry != nullptr && entry->consumer) return std::unique_ptr<consumer_group>();
  if (request.epoch != joining_epoch || (entry != nullptr && entry->kept)) {
    return make_error(error_code::group_id_not_found, "Consumer group {} not found.",
                      request.group);
  }
  if (entry != nullptr && entry->classic) {
    return consumer_group::from_classic(*entry->classic, for_consumer_groups());
  }
  return std::make_unique<consumer_group>(request.group, for_consumer_groups());
}

// Members of a classic group that wait in it are told to join again.
void group_shard::install(const std::string& id, std::unique_ptr<consumer_group> made,
                          answers& to_run) {
  group_entry& entry = groups_[id];
  if (entry.classic) {
    group_outcome outcome;
    entry.classic->die(make_error(error_code::rebalance_in_progress,
                                  "group {} becomes a consumer group: join it again", id),
                       outcome);
    for (task& answer : outcome.answers) to_run.push_back(std::move(answer));
    entry.classic.reset();
    outside_.engine.cancel(entry.timer);
    entry.timer_at.reset();
  }
  entry.consumer = std::move(made);
}

void group_shard::consumer_heartbeat(consumer_heartbeat_request request,
                                     reply<consumer_heartbeat_answer> done) {
  answers to_run;
  std::optional<error> refused;
  {
    const std::lock_guard guard(mutex_);
    const std::string id = request.group;
    auto made = make_consumer(request);
    if (!made.ok()) {
      refused = std::move(made.failure());
    } else {
      consumer_group& group = *made ? **made : *find(id)->consumer;
      auto answer = group.heartbeat(request);
      if (!answer.ok()) {
        refused = std::move(answer.failure());
      } else {
        if (*made) install(id, std::move(*made), to_run);
        settle<consumer_heartbeat_answer>(id, groups_[id], std::move(done), std::move(answer),
                                          to_run);
      }
    }
  }
  if (refused) done(std::move(*refused));
  run(to_run);
}

// Nothing is answered that a crash could take back.
template <typename T>
void group_shard::settle(const std::string& id, group_entry& entry, reply<T> done, result<T> answer,
                         answers& to_run) {
  store_consumer(
      id, entry, !std::is_same_v<T, join_group_answer>,
      [done = std::move(done), answer = std::move(answer)](const status& stored) mutable {
        if (!stored.ok()) answer = stored.failure();
        done(std::move(answer));
      },
      to_run);
}

// For the calls of classic members.
template void group_shard::settle(const std::string&, group_entry&, reply<join_group_answer>,
                                  result<join_group_answer>, answers&);
template void group_shard::settle(const std::string&, group_entry&, reply<sync_group_answer>,
                                  result<sync_group_answer>, answers&);
template void group_shard::settle(const std::string&, group_entry&,
                                  reply<std::vector<std::optional<error>>>,
                                  result<std::vector<std::optional<error>>>, answers&);

void group_shard::store_consumer(const std::string& id, group_entry& entry, bool rebalances_classic,
                                 callback<void(const status&)> after, answers& to_run) {
  std::vector<coordinator_record> records = entry.consumer->take_records();
  if (!records.empty() && entry.consumer->may_become_classic()) {
    become_classic(id, entry, rebalances_classic, records, to_run);
  }
  if (!records.empty()) {
    entry.under_way = std::make_shared<stored_callbacks>();
    if (after) entry.under_way->push_back(std::move(after));
    log_->append(std::move(records), [weak = weak_from_this(), id, load = load_,
                                      waiting = entry.under_way](const result<offset_t>& appended) {
      const status outcome = appended.ok() ? status{} : status{appended.failure()};
      answers later;
      if (const auto self = weak.lock()) {
        self->consumer_stored(id, load, outcome, waiting, later);
      }
      for (auto& answer : *waiting) answer(outcome);
      run(later);
    });
  } else if (entry.under_way != nullptr && after) {
    entry.under_way->push_back(std::move(after));
  } else if (after) {
    to_run.push_back([after = std::move(after)]() mutable { after(status{}); });
  }
  arm(id, entry);
}

// The last member of the consumer protocol has left: the others have a classic group of their own.
void group_shard::become_classic(const std::string& id, group_entry& entry, bool rebalances,
                                 std::vector<coordinator_record>& records, answers& to_run) {
  std::map<std::string, std::vector<join_protocol>> protocols;
  for (const auto& [member, source] : entry.consumer->members()) {
    protocols[member] = source.classic->protocols;
  }
  for (auto& tombstone : entry.consumer->tombstones()) records.push_back(std::move(tombstone));
  const auto stored = entry.consumer->to_classic();
  records.push_back(group_record(id, stored));
  entry.consumer.reset();
  outside_.engine.cancel(entry.timer);
  entry.timer_at.reset();
  group_outcome outcome;
  entry.classic.emplace(id, stored, for_groups());
  entry.classic->take_over(std::move(protocols), rebalances, outcome);
  for (task& answer : outcome.answers) to_run.push_back(std::move(answer));
}

// The group has gone on from records that are not in the log: all that is known is what the log
// says, so the shard is loaded again.
void group_shard::consumer_stored(const std::string& id, std::uint64_t load, const status& outcome,
                                  const std::shared_ptr<stored_callbacks>& waiting,
                                  answers& to_run) {
  const std::lock_guard guard(mutex_);
  if (load != load_ || state_ != load_state::loaded) return;
  group_entry* entry = find(id);
  if (entry != nullptr && entry->under_way == waiting) entry->under_way.reset();
  if (outcome.ok()) return;
  outside_.sink.log(log_level::warning, "group {} could not be stored: {}", id,
                    outcome.failure().message);
  state_ = load_state::failed;
  forget_groups(make_error(error_code::coordinator_not_available,
                           "group {} could not be stored: {}", id, outcome.failure().message),
                to_run);
}

result<described_consumer_group> group_shard::describe_consumer(const std::string& group) {
  const std::lock_guard guard(mutex_);
  if (const group_entry* entry = find_consumer(group)) return entry->consumer->describe();
  if (find(group) != nullptr) {
    return make_error(error_code::group_id_not_found, "Group {} is not a consumer group.", group);
  }
  return make_error(error_code::group_id_not_found, "Group {} not found.", group);
}

}  // namespace ringlog::broker
