#include "broker/group/group_shard.h"

// Loading, and the one way in which durable records change what the shard knows.
namespace ringlog::broker {

void group_shard::when_loaded(callback<void(status)> action) {
  status now;
  bool starts_loading = false;
  {
    const std::lock_guard guard(mutex_);
    switch (state_) {
      case load_state::loaded:
        break;
      case load_state::unloaded:
        now = *failure_;
        break;
      case load_state::not_loaded:
      case load_state::failed:  // the next one tries again
        state_ = load_state::loading;
        ++load_;
        groups_.clear();
        open_transactions_.clear();
        starts_loading = true;
        [[fallthrough]];
      case load_state::loading:
        load_waiters_.push_back(std::exchange(action, nullptr));
        break;
    }
  }
  if (starts_loading) {
    log_->replay(
        *this, [self = shared_from_this()](const status& loaded) { self->finish_loading(loaded); });
  }
  if (action) action(std::move(now));
}

void group_shard::finish_loading(const status& loaded) {
  std::vector<callback<void(status)>> waiters;
  {
    const std::lock_guard guard(mutex_);
    waiters = std::exchange(load_waiters_, {});
    if (state_ == load_state::loading) {
      state_ = loaded.ok() ? load_state::loaded : load_state::failed;
    }
    if (state_ == load_state::loaded) {
      loaded_at_ = outside_.time.now();
      std::erase_if(groups_, [](const auto& entry) { return entry.second.is_nothing(); });
      for (auto& [id, entry] : groups_) {
        if (entry.consumer) entry.consumer->start_timers();
        arm(id, entry);
      }
      schedule_clean_up();
    }
  }
  for (auto& waiter : waiters) waiter(loaded);
  if (loaded.ok()) clean_up(cleaning::deleted_topics);
}

void group_shard::on_record(offset_t offset, producer_id_t producer, bytes_view key,
                            std::optional<bytes_view> value) {
  const std::lock_guard guard(mutex_);
  if (state_ != load_state::loading) return;
  const auto parsed = parse_group_key(key);
  if (!parsed.ok()) {
    outside_.sink.log(log_level::warning, "offset {} of __consumer_offsets is left out: {}", offset,
                      parsed.failure().message);
    return;
  }
  apply(offset, producer, *parsed, key, value);
}

void group_shard::on_transaction_end(producer_id_t producer, bool committed) {
  const std::lock_guard guard(mutex_);
  const auto ended = open_transactions_.extract(producer);
  if (ended.empty()) return;
  for (const std::string& id : ended.mapped()) {
    if (group_entry* entry = find(id)) entry->offsets.end_transaction(producer, committed);
  }
}

void group_shard::apply(offset_t offset, producer_id_t producer, const group_record_key& key,
                        bytes_view raw_key, std::optional<bytes_view> value) {
  if (key.is_offset_commit()) {
    apply_offset(offset, producer, key, value);
  } else if (key.type == record_types::group_metadata) {
    apply_group(key, value);
  } else if (const auto kept_type = key.kept_type()) {
    apply_kept(*kept_type, key, raw_key, value);
  } else if (key.is_of_consumer_group()) {
    apply_consumer(key, value);
  } else {
    outside_.sink.log(log_level::warning,
                      "offset {} of __consumer_offsets has the unknown type {}: left out", offset,
                      key.type);
  }
}

void group_shard::apply_kept(kept_group_type type, const group_record_key& key, bytes_view raw_key,
                             std::optional<bytes_view> value) {
  group_entry& entry = groups_[key.group];
  if (value) {
    if (!entry.kept || entry.kept->type() != type) entry.kept.emplace(type);
    entry.classic.reset();
    entry.consumer.reset();
    entry.kept->put(raw_key, *value);
  } else if (entry.kept) {
    entry.kept->remove(raw_key);
    if (!entry.kept->has_records()) entry.kept.reset();
  }
}

// The group's own record is the last to be removed.
void group_shard::apply_consumer(const group_record_key& key, std::optional<bytes_view> value) {
  group_entry* entry = find(key.group);
  if (value) {
    if (entry == nullptr) entry = &groups_[key.group];
    entry->classic.reset();
    entry->kept.reset();
    if (!entry->consumer) {
      entry->consumer = std::make_unique<consumer_group>(key.group, for_consumer_groups());
    }
  }
  if (entry == nullptr || !entry->consumer) return;
  entry->consumer->apply(key, value);
  if (!value && key.type == record_types::consumer_group) entry->consumer.reset();
}

void group_shard::apply_offset(offset_t offset, producer_id_t producer, const group_record_key& key,
                               std::optional<bytes_view> value) {
  group_entry& entry = groups_[key.group];
  if (!value) {
    entry.offsets.remove(key.partition);
    return;
  }
  auto stored = parse_offset_value(key.type, *value);
  if (!stored.ok()) {
    outside_.sink.log(log_level::warning, "offset {} of __consumer_offsets is left out: {}", offset,
                      stored.failure().message);
    return;
  }
  stored->record_offset = offset;
  // Who commits without joining makes a group without protocol.
  if (entry.has_no_protocol()) entry.classic.emplace(key.group, for_groups());
  if (producer == no_producer_id) {
    entry.offsets.put(key.partition, std::move(*stored));
  } else {
    entry.offsets.put_pending(producer, key.partition, std::move(*stored));
    open_transactions_[producer].insert(key.group);
  }
}

void group_shard::apply_group(const group_record_key& key, std::optional<bytes_view> value) {
  group_entry& entry = groups_[key.group];
  if (!value) {
    entry.classic.reset();
    return;
  }
  auto stored = parse_group_value(*value);
  if (!stored.ok()) {
    outside_.sink.log(log_level::warning, "group {} is left out: {}", key.group,
                      stored.failure().message);
    return;
  }
  entry.kept.reset();
  entry.consumer.reset();
  entry.classic.emplace(key.group, *stored, for_groups());
}

// The mutex is held. `done` runs without it, after the records have taken effect.
void group_shard::append_and_apply(std::vector<coordinator_record> records,
                                   callback<void(status)> done) {
  auto kept = std::make_shared<const std::vector<coordinator_record>>(records);
  log_->append(std::move(records), [weak = weak_from_this(), kept, load = load_,
                                    done = std::move(done)](const result<offset_t>& base) mutable {
    const auto self = weak.lock();
    if (self != nullptr && base.ok()) {
      const std::lock_guard guard(self->mutex_);
      if (self->state_ == load_state::loaded && self->load_ == load)
        self->apply_appended(*base, *kept);
    }
    done(base.ok() ? status{} : status{base.failure()});
  });
}

void group_shard::apply_appended(offset_t base, const std::vector<coordinator_record>& records) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto key = parse_group_key(records[i].key);
    CHECK(key.ok(), "our own record cannot be read");
    std::optional<bytes_view> value;
    if (records[i].value) value = *records[i].value;
    apply(base + static_cast<std::int64_t>(i), no_producer_id, *key, records[i].key, value);
    const auto found = groups_.find(key->group);
    if (found == groups_.end() || !found->second.is_nothing()) continue;
    outside_.engine.cancel(found->second.timer);
    groups_.erase(found);
  }
}

}  // namespace ringlog::broker
