#include "broker/group/group_shard.h"

// Committed offsets: commit, fetch, delete, expire.
namespace ringlog::broker {

void group_shard::commit(const group_member_identity& from, offsets_to_commit offsets,
                         callback<void(status)> done, bool knows_member_epochs) {
  status accepted;
  {
    const std::lock_guard guard(mutex_);
    group_entry* entry = find(from.group);
    if (entry != nullptr && entry->deleting) {
      accepted = make_error(error_code::coordinator_not_available,
                            "group {} is being deleted: try again", from.group);
    } else if (entry != nullptr && entry->classic) {
      accepted = entry->classic->accept_commit(from);
    } else if (entry != nullptr && entry->consumer) {
      accepted = entry->consumer->check_commit(from, offsets, knows_member_epochs);
    } else if (entry != nullptr && kept_members_alive(*entry)) {
      accepted =
          make_error(error_code::unknown_member_id,
                     "group {} has active members: only they may commit its offsets", from.group);
    } else if (from.generation >= 0) {
      accepted = make_error(error_code::illegal_generation, "Group {} not found.", from.group);
    }
    if (accepted.ok() && !offsets.empty()) {
      std::vector<coordinator_record> records;
      for (const auto& [tp, offset] : offsets) {
        records.push_back(offset_record(from.group, tp, offset));
      }
      append_and_apply(std::move(records), std::move(done));
      return;
    }
  }
  done(accepted);
}

result<fetched_offsets> group_shard::fetch_offsets(const offset_fetch_request& request) {
  const std::lock_guard guard(mutex_);
  const group_entry* entry = find(request.group);
  fetched_offsets fetched;
  if (entry == nullptr) {
    if (request.partitions) {
      for (const topic_partition& tp : *request.partitions) fetched.emplace_back(tp, std::nullopt);
    }
    return fetched;
  }
  if (entry->consumer) TRY(entry->consumer->check_fetch(request));
  const std::vector<topic_partition> asked =
      request.partitions ? *request.partitions : entry->offsets.partitions();
  for (const topic_partition& tp : asked) {
    if (request.require_stable && entry->offsets.has_pending(tp)) {
      return make_error(error_code::unstable_offset_commit,
                        "a transaction has offsets of {} for group {} that are not committed yet",
                        tp.to_string(), request.group);
    }
    const stored_offset* stored = entry->offsets.find(tp);
    if (stored != nullptr && !is_gone(tp, *stored)) {
      fetched.emplace_back(tp, stored->position);
    } else if (request.partitions) {
      fetched.emplace_back(tp, std::nullopt);
    }
  }
  return fetched;
}

void group_shard::delete_offsets(const std::string& group,
                                 const std::vector<topic_partition>& partitions,
                                 reply<partition_failures> done) {
  result<partition_failures> answer = partition_failures{};
  {
    const std::lock_guard guard(mutex_);
    group_entry* entry = find(group);
    if (entry == nullptr || entry->deleting) {
      answer = make_error(error_code::group_id_not_found, "Group {} not found.", group);
    } else if (entry->classic && !entry->classic->is_empty() &&
               !entry->classic->uses_consumer_protocol()) {
      answer = make_error(error_code::non_empty_group, "group {} still has members", group);
    } else {
      const bool in_use_unknown = kept_members_alive(*entry);
      std::vector<coordinator_record> records;
      for (const topic_partition& tp : partitions) {
        if (in_use_unknown || (entry->classic && entry->classic->is_subscribed_to(tp.topic)) ||
            (entry->consumer && entry->consumer->is_subscribed_to(tp.topic))) {
          answer->emplace_back(tp,
                               make_error(error_code::group_subscribed_to_topic,
                                          "group {} is subscribed to topic {}", group, tp.topic));
          continue;
        }
        answer->emplace_back(tp, std::nullopt);
        if (entry->offsets.find(tp) != nullptr || entry->offsets.has_pending(tp)) {
          records.push_back(offset_tombstone(group, tp));
        }
      }
      if (!records.empty()) {
        append_and_apply(std::move(records), [answer = std::move(answer), done = std::move(done)](
                                                 const status& appended) mutable {
          if (!appended.ok()) answer = appended.failure();
          done(std::move(answer));
        });
        return;
      }
    }
  }
  done(std::move(answer));
}

bool group_shard::is_gone(const topic_partition& tp, const stored_offset& offset) const {
  const auto id = outside_.metadata.find_id(tp);
  return !id || (!offset.topic_id.is_zero() && *id != offset.topic_id);
}

// Kafka's rules since 2.1 (KIP-211): the time starts when the group became empty; for consumers
// without a group, and for topics that a stable group no longer reads, with the commit.
bool group_shard::is_expired(const group_entry& entry, const topic_partition& tp,
                             const stored_offset& offset) const {
  if (entry.offsets.has_pending(tp)) return false;
  if (is_gone(tp, offset)) return true;
  std::int64_t from = offset.commit_timestamp;
  if (entry.kept) {
    if (entry.kept->has_members()) return false;
  } else if (entry.consumer) {
    if (entry.consumer->is_subscribed_to(tp.topic)) return false;
  } else if (entry.classic && entry.classic->has_protocol_type()) {
    const classic_group& group = *entry.classic;
    if (group.state() == group_state::empty) {
      if (group.state_timestamp() != -1) from = group.state_timestamp();
    } else if (group.state() != group_state::stable || !group.knows_topics() ||
               group.is_subscribed_to(tp.topic)) {
      return false;
    }
  }
  const std::int64_t now = outside_.time.wall_ms();
  if (offset.expire_timestamp != no_timestamp) return now >= offset.expire_timestamp;
  return now - from >= outside_.settings.offsets_retention_ms;
}

std::vector<coordinator_record> group_shard::expired_records(cleaning what) {
  std::vector<coordinator_record> records;
  for (auto& [id, entry] : groups_) {
    if (entry.deleting) continue;
    bool any_left = entry.offsets.has_pending();
    for (const auto& [tp, offset] : entry.offsets.committed()) {
      const bool goes = what == cleaning::all ? is_expired(entry, tp, offset) : is_gone(tp, offset);
      if (goes) {
        records.push_back(offset_tombstone(id, tp));
      } else {
        any_left = true;
      }
    }
    if (what != cleaning::all || any_left || entry.has_members()) continue;
    if (entry.classic && entry.classic->state() == group_state::empty) {
      records.push_back(group_tombstone(id));
      entry.deleting = true;
    } else if (entry.consumer) {
      for (auto& tombstone : entry.consumer->tombstones()) records.push_back(std::move(tombstone));
      entry.deleting = true;
    }
  }
  return records;
}

void group_shard::clean_up(cleaning what) {
  const std::lock_guard guard(mutex_);
  if (state_ != load_state::loaded) return;
  std::vector<coordinator_record> records = expired_records(what);
  if (records.empty()) return;
  outside_.sink.log(log_level::info, "{} records of __consumer_offsets get a tombstone",
                    records.size());
  append_and_apply(std::move(records), [weak = weak_from_this()](const status& appended) {
    const auto self = weak.lock();
    if (self == nullptr || appended.ok()) return;
    const std::lock_guard guard_again(self->mutex_);
    for (auto& [id, entry] : self->groups_) entry.deleting = false;
  });
}

void group_shard::schedule_clean_up() {
  const monotonic_time next =
      outside_.time.now() + milliseconds(outside_.settings.retention_check_interval_ms);
  clean_up_timer_ = outside_.engine.schedule_at(next, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->clean_up(cleaning::all);
    const std::lock_guard guard(self->mutex_);
    if (self->state_ == load_state::loaded) self->schedule_clean_up();
  });
}

}  // namespace ringlog::broker
