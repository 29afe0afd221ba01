#include "broker/group/group_coordinator.h"

#include "broker/group/group_partition.h"
#include "broker/partition_coordinator_log.h"
#include "model/topic_name.h"

namespace ringlog::broker {

namespace {

error no_group(error_code code, const std::string& group) {
  return make_error(code, "Group {} not found.", group);
}

}  // namespace

group_settings to_group_settings(const model::config_values& broker) {
  group_settings settings;
  settings.initial_rebalance_delay_ms = broker.number("group.initial.rebalance.delay.ms");
  settings.min_session_timeout_ms = broker.number("group.min.session.timeout.ms");
  settings.max_session_timeout_ms = broker.number("group.max.session.timeout.ms");
  settings.size_max = broker.number("group.max.size");
  settings.offset_metadata_bytes_max = broker.number("offset.metadata.max.bytes");
  settings.offsets_retention_ms = broker.number("offsets.retention.minutes") * 60'000;
  settings.retention_check_interval_ms = broker.number("offsets.retention.check.interval.ms");
  settings.kept_member_session_ms = broker.number("group.consumer.session.timeout.ms");
  return settings;
}

group_coordinator::group_coordinator(broker_services outside, const model::config_values& broker,
                                     topic_admin& topics, partition_table& partitions)
    : outside_(outside),
      settings_(to_group_settings(broker)),
      topics_(topics),
      partitions_(partitions) {}

std::optional<uuid> group_coordinator::find_id(const topic_partition& tp) const {
  const auto topic = outside_.controller.published()->find_topic(tp.topic);
  if (topic == nullptr || topic->find_partition(tp.partition) == nullptr) return std::nullopt;
  return topic->id;
}

std::optional<std::string> group_coordinator::find_name(const uuid& id) const {
  const auto topic = outside_.controller.published()->find_topic(id);
  if (topic == nullptr) return std::nullopt;
  return topic->name;
}

std::int32_t group_coordinator::partition_count() const {
  const auto topic = outside_.controller.published()->find_topic(model::group_metadata_topic);
  return topic == nullptr ? 0 : static_cast<std::int32_t>(topic->partitions.size());
}

result<group_coordinator::shard_ptr> group_coordinator::shard_at(partition_id_t partition) {
  {
    const std::lock_guard guard(mutex_);
    if (closed_) return *closed_;
    const auto found = shards_.find(partition);
    if (found != shards_.end()) return found->second;
  }
  TRY_ASSIGN(auto target, partitions_.find({std::string(model::group_metadata_topic), partition}));
  auto made = std::make_shared<group_shard>(
      std::make_shared<partition_coordinator_log>(std::move(target), outside_),
      shard_services{settings_, outside_.time, outside_.random, outside_.engine, outside_.sink,
                     *this});
  const std::lock_guard guard(mutex_);
  if (closed_) return *closed_;
  return shards_.try_emplace(partition, std::move(made)).first->second;
}

template <typename T, typename Action>
void group_coordinator::with_shard(const std::string& group, std::optional<error> missing,
                                   reply<T> done, Action action) {
  const std::int32_t count = partition_count();
  if (count == 0) {
    if (missing) return done(std::move(*missing));
    topics_.ensure(std::string(model::group_metadata_topic),
                   [self = shared_from_this(), group, done = std::move(done),
                    action = std::move(action)](const result<topic_description>& made) mutable {
                     if (!made.ok()) return done(made.failure());
                     self->with_shard<T>(group, std::nullopt, std::move(done), std::move(action));
                   });
    return;
  }
  auto shard = shard_at(partition_of_group(group, count));
  if (!shard.ok()) return done(std::move(shard.failure()));
  (*shard)->when_loaded([shard = shard->get(), done = std::move(done),
                         action = std::move(action)](const status& loaded) mutable {
    if (!loaded.ok()) return done(loaded.failure());
    action(*shard, std::move(done));
  });
}

void group_coordinator::join_group(join_group_request request, reply<join_group_answer> done) {
  if (request.group.empty()) {
    return done(error{error_code::invalid_group_id, "The group id must not be empty."});
  }
  if (request.session_timeout_ms < settings_.min_session_timeout_ms ||
      request.session_timeout_ms > settings_.max_session_timeout_ms) {
    return done(make_error(error_code::invalid_session_timeout,
                           "The session timeout {} is not between group.min.session.timeout.ms={} "
                           "and group.max.session.timeout.ms={}.",
                           request.session_timeout_ms, settings_.min_session_timeout_ms,
                           settings_.max_session_timeout_ms));
  }
  const std::string group = request.group;
  with_shard<join_group_answer>(
      group, std::nullopt, std::move(done),
      [request = std::move(request)](group_shard& shard, reply<join_group_answer> answer) mutable {
        shard.join(std::move(request), std::move(answer));
      });
}

void group_coordinator::sync_group(sync_group_request request, reply<sync_group_answer> done) {
  const std::string group = request.group;
  with_shard<sync_group_answer>(
      group, no_group(error_code::unknown_member_id, group), std::move(done),
      [request = std::move(request)](group_shard& shard, reply<sync_group_answer> answer) mutable {
        shard.sync(std::move(request), std::move(answer));
      });
}

void group_coordinator::heartbeat(group_member_identity from, reply<std::monostate> done) {
  const std::string group = from.group;
  with_shard<std::monostate>(
      group, no_group(error_code::unknown_member_id, group), std::move(done),
      [from = std::move(from)](group_shard& shard, reply<std::monostate> answer) {
        status alive = shard.heartbeat(from);
        if (!alive.ok()) return answer(std::move(alive.failure()));
        answer(std::monostate{});
      });
}

void group_coordinator::leave_group(std::string group, std::vector<leaving_member> members,
                                    reply<std::vector<std::optional<error>>> done) {
  with_shard<std::vector<std::optional<error>>>(
      group, no_group(error_code::unknown_member_id, group), std::move(done),
      [group, members = std::move(members)](group_shard& shard, auto answer) {
        answer(shard.leave(group, members));
      });
}

void group_coordinator::commit_offsets(offset_commit_request request,
                                       reply<partition_failures> done) {
  partition_failures failures;
  group_shard::offsets_to_commit good;
  const std::int64_t now = outside_.time.wall_ms();
  for (auto& [tp, position] : request.offsets) {
    const auto topic_id = find_id(tp);
    std::optional<error> failure;
    if (!topic_id) {
      failure = unknown_partition(tp);
    } else if (static_cast<std::int64_t>(position.metadata.size()) >
               settings_.offset_metadata_bytes_max) {
      failure = make_error(error_code::offset_metadata_too_large,
                           "the metadata of the offset of {} has more than "
                           "offset.metadata.max.bytes={} bytes",
                           tp.to_string(), settings_.offset_metadata_bytes_max);
    } else {
      stored_offset offset;
      offset.position = std::move(position);
      offset.commit_timestamp = now;
      if (request.retention_ms >= 0) offset.expire_timestamp = now + request.retention_ms;
      offset.topic_id = *topic_id;
      good.emplace_back(tp, std::move(offset));
    }
    failures.emplace_back(tp, std::move(failure));
  }
  const std::string group = request.from.group;
  with_shard<partition_failures>(
      group, std::nullopt, std::move(done),
      [from = std::move(request.from), good = std::move(good), failures = std::move(failures)](
          group_shard& shard, reply<partition_failures> answer) mutable {
        shard.commit(from, std::move(good),
                     [failures = std::move(failures),
                      answer = std::move(answer)](const status& committed) mutable {
                       if (!committed.ok()) return answer(committed.failure());
                       answer(std::move(failures));
                     });
      });
}

void group_coordinator::fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done) {
  if (partition_count() == 0) {
    fetched_offsets nothing;
    if (request.partitions) {
      for (const topic_partition& tp : *request.partitions) nothing.emplace_back(tp, std::nullopt);
    }
    return done(std::move(nothing));
  }
  const std::string group = request.group;
  with_shard<fetched_offsets>(
      group, std::nullopt, std::move(done),
      [request = std::move(request)](group_shard& shard, reply<fetched_offsets> answer) {
        answer(shard.fetch_offsets(request));
      });
}

void group_coordinator::delete_offsets(std::string group, std::vector<topic_partition> partitions,
                                       reply<partition_failures> done) {
  with_shard<partition_failures>(group, no_group(error_code::group_id_not_found, group),
                                 std::move(done),
                                 [group, partitions = std::move(partitions)](
                                     group_shard& shard, reply<partition_failures> answer) {
                                   shard.delete_offsets(group, partitions, std::move(answer));
                                 });
}

void group_coordinator::list_groups(reply<std::vector<listed_group>> done) {
  list_loaded(partition_id_t{0}, {}, std::move(done));
}

// Loads and asks one shard after another.
void group_coordinator::list_loaded(partition_id_t next, std::vector<listed_group> so_far,
                                    reply<std::vector<listed_group>> done) {
  while (next.value() < partition_count() && !may_have_groups(next)) ++next;
  if (next.value() >= partition_count()) return done(std::move(so_far));
  auto shard = shard_at(next);
  if (!shard.ok()) return done(std::move(shard.failure()));
  (*shard)->when_loaded([self = shared_from_this(), shard = shard->get(), next,
                         so_far = std::move(so_far),
                         done = std::move(done)](const status& loaded) mutable {
    if (!loaded.ok()) return done(loaded.failure());
    for (listed_group& group : shard->list()) so_far.push_back(std::move(group));
    self->list_loaded(next + 1, std::move(so_far), std::move(done));
  });
}

bool group_coordinator::may_have_groups(partition_id_t partition) {
  const auto found = partitions_.find({std::string(model::group_metadata_topic), partition});
  if (!found.ok()) return true;  // shard_at tells why
  const storage::log_offsets offsets = (*found)->log().offsets();
  return offsets.log_end > offsets.log_start;
}

void group_coordinator::describe_group(std::string group, reply<described_group> done) {
  with_shard<described_group>(group, no_group(error_code::group_id_not_found, group),
                              std::move(done),
                              [group](group_shard& shard, reply<described_group> answer) {
                                answer(shard.describe(group));
                              });
}

void group_coordinator::delete_group(std::string group, reply<std::monostate> done) {
  with_shard<std::monostate>(
      group, no_group(error_code::group_id_not_found, group), std::move(done),
      [group](group_shard& shard, reply<std::monostate> answer) {
        shard.delete_group(group, [answer = std::move(answer)](const status& deleted) mutable {
          if (!deleted.ok()) return answer(deleted.failure());
          answer(std::monostate{});
        });
      });
}

void group_coordinator::topic_deleted(const std::string& name) {
  std::map<partition_id_t, shard_ptr> concerned;
  const bool is_ours = name == model::group_metadata_topic;
  {
    const std::lock_guard guard(mutex_);
    concerned = shards_;
    if (is_ours) shards_.clear();
  }
  for (const auto& [partition, shard] : concerned) {
    if (is_ours) {
      shard->unload({error_code::not_coordinator, "__consumer_offsets was deleted"});
    } else {
      shard->clean_up(group_shard::cleaning::deleted_topics);
    }
  }
}

void group_coordinator::close(const error& why) {
  std::map<partition_id_t, shard_ptr> closing;
  {
    const std::lock_guard guard(mutex_);
    closed_ = why;
    closing.swap(shards_);
  }
  for (const auto& [partition, shard] : closing) shard->unload(why);
}

}  // namespace ringlog::broker
