#include "broker/topic_admin.h"

#include <algorithm>
#include <atomic>

#include "broker/creation_limits.h"
#include "model/topic_name.h"

namespace ringlog::broker {

namespace {

constexpr std::int64_t ensure_retry_ms = 1;

error unknown_topic(std::string_view name) {
  return make_error(error_code::unknown_topic_or_partition, "The topic '{}' does not exist.", name);
}

}  // namespace

topic_description describe(const metadata::topic_state& topic) {
  topic_description description;
  description.name = topic.name;
  description.id = topic.id;
  description.internal = model::is_internal_topic(topic.name);
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const metadata::partition_state& source = *topic.partitions[i];
    description.partitions.push_back({partition_id_t(static_cast<std::int32_t>(i)), source.leader,
                                      source.leader_epoch, source.replicas,
                                      source.in_sync_replicas});
  }
  return description;
}

topic_admin::topic_admin(broker_services outside, node_id_t node, config_service& configs,
                         partition_table& partitions)
    : outside_(outside), node_(node), configs_(configs), partitions_(partitions) {}

std::optional<topic_description> topic_admin::find(std::string_view name) const {
  const auto topic = outside_.controller.published()->find_topic(name);
  if (topic == nullptr) return std::nullopt;
  topic_description found = describe(*topic);
  for (partition_description& partition : found.partitions) partition.leader = node_;
  return found;
}

std::optional<topic_description> topic_admin::find(const uuid& id) const {
  const auto topic = outside_.controller.published()->find_topic(id);
  return topic == nullptr ? std::nullopt : find(topic->name);
}

std::vector<topic_description> topic_admin::list() const {
  std::vector<topic_description> all;
  const auto image = outside_.controller.published();
  image->topics->for_each([&](const metadata::topic_ptr& topic) {
    if (auto found = find(topic->name)) all.push_back(std::move(*found));
  });
  std::sort(all.begin(), all.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  return all;
}

// Internal topics come with the configs that their coordinator needs
// (Kafka: GroupCoordinatorService.groupMetadataTopicConfigs).
new_topic topic_admin::defaults_of(const std::string& name) const {
  new_topic topic;
  topic.name = name;
  if (name == model::group_metadata_topic) {
    const auto broker = configs_.broker_values();
    topic.partitions = static_cast<std::int32_t>(broker->number("offsets.topic.num.partitions"));
    topic.configs = {{"cleanup.policy", "compact"},
                     {"compression.type", "producer"},
                     {"segment.bytes", *broker->value("offsets.topic.segment.bytes")}};
  }
  return topic;
}

void topic_admin::ensure(std::string name, reply<topic_description> done) {
  if (auto found = find(name)) return done(std::move(*found));
  status valid = model::validate_topic_name(name);
  if (!valid.ok()) return done(std::move(valid.failure()));
  if (name != model::group_metadata_topic &&
      (model::is_internal_topic(name) ||
       !configs_.broker_values()->flag("auto.create.topics.enable"))) {
    return done(unknown_topic(name));
  }
  {
    const std::lock_guard guard(mutex_);
    auto [waiting, first] = ensures_.try_emplace(name);
    waiting->second.push_back(std::move(done));
    if (!first) return;
  }
  make_missing(name);
}

void topic_admin::make_missing(const std::string& name) {
  create(defaults_of(name), false,
         [self = shared_from_this(), name](const result<created_topic>& made) {
           if (!made.ok() && made.code() != error_code::topic_already_exists) {
             return self->answer_ensures(name, made.failure());
           }
           // Ours, or that of a create request that was faster.
           if (auto found = self->find(name)) return self->answer_ensures(name, std::move(*found));
           // The other one's is not durable yet, so nobody may see it: a little later.
           self->outside_.engine.schedule_at(
               self->outside_.time.now() + milliseconds(ensure_retry_ms),
               [self, name] { self->make_missing(name); });
         });
}

void topic_admin::answer_ensures(const std::string& name, const result<topic_description>& answer) {
  std::vector<reply<topic_description>> waiting;
  {
    const std::lock_guard guard(mutex_);
    waiting = std::move(ensures_[name]);
    ensures_.erase(name);
  }
  for (auto& done : waiting) done(answer);
}

status topic_admin::check_name(const std::string& name) const {
  TRY(model::validate_topic_name(name));
  if (name == model::cluster_metadata_topic) {
    return make_error(error_code::invalid_topic, "Creation of internal topic {} is prohibited.",
                      name);
  }
  const auto image = outside_.controller.published();
  if (image->find_topic(name) != nullptr) {
    return make_error(error_code::topic_already_exists, "Topic '{}' already exists.", name);
  }
  if (!model::has_collision_chars(name)) return {};
  status outcome;
  image->topics->for_each([&](const metadata::topic_ptr& other) {
    if (!outcome.ok() || !model::has_collision(name, other->name)) return;
    outcome = make_error(error_code::invalid_topic, "Topic '{}' collides with existing topic: {}",
                         name, other->name);
  });
  return outcome;
}

result<std::int32_t> topic_admin::partition_count_of(const new_topic& topic) const {
  if (!topic.assignment.empty()) return static_cast<std::int32_t>(topic.assignment.size());
  if (topic.partitions == -1) {
    return static_cast<std::int32_t>(configs_.broker_values()->number("num.partitions"));
  }
  if (topic.partitions <= 0) {
    return error{error_code::invalid_partitions,
                 "Number of partitions was set to an invalid non-positive value."};
  }
  return topic.partitions;
}

// Before all else, as in Kafka.
status topic_admin::check_size(const new_topic& topic) const {
  if (topic.name == model::cluster_metadata_topic) return {};
  const auto partitions = partition_count_of(topic);
  if (!partitions.ok()) return {};  // which is said in its turn
  creation_total total{*partitions, 1 + *partitions};
  for (const auto& [config, value] : topic.configs) {
    if (!own_configs::is_own(config)) ++total.records;
  }
  if (auto excess = total.excess()) return std::move(*excess);
  return {};
}

status topic_admin::check_replication(const new_topic& topic) const {
  if (!topic.assignment.empty()) {
    if (topic.partitions != -1 || topic.replication_factor != -1) {
      return error{error_code::invalid_argument,
                   "A manual partition assignment was specified, but numPartitions or "
                   "replicationFactor was set, too."};
    }
    for (std::size_t i = 0; i < topic.assignment.size(); ++i) {
      if (topic.assignment[i] == std::vector<node_id_t>{node_}) continue;
      return make_error(error_code::invalid_replica_assignment,
                        "The manual partition assignment of partition {} must name the one broker "
                        "there is: {}",
                        i, node_);
    }
    return {};
  }
  if (topic.replication_factor == 0 || topic.replication_factor < -1) {
    return error{error_code::invalid_replication_factor,
                 "Replication factor was set to an invalid non-positive value."};
  }
  if (topic.replication_factor > 1) {
    return make_error(error_code::invalid_replication_factor,
                      "Unable to replicate the partition {} time(s): The target replication factor "
                      "of {} cannot be reached because only 1 broker(s) are registered.",
                      topic.replication_factor, topic.replication_factor);
  }
  return {};
}

void topic_admin::create(new_topic topic, bool validate_only, reply<created_topic> done) {
  status checked = check_size(topic);
  if (checked.ok()) checked = check_name(topic.name);
  if (checked.ok()) checked = check_replication(topic);
  if (!checked.ok()) return done(std::move(checked.failure()));
  auto partitions = partition_count_of(topic);
  if (!partitions.ok()) return done(std::move(partitions.failure()));
  auto values = model::parse_topic_configs(*configs_.broker_values(), topic.configs);
  if (!values.ok()) return done(std::move(values.failure()));
  status own_checked = configs_.check_own(topic.name, topic.configs);
  if (!own_checked.ok()) return done(std::move(own_checked.failure()));
  if (validate_only) {
    created_topic would_be;
    would_be.name = std::move(topic.name);
    would_be.partitions = *partitions;
    would_be.warnings = model::topic_config_warnings(topic.configs);
    return done(std::move(would_be));
  }
  const std::string name = topic.name;
  after_deletion(name, [self = shared_from_this(), topic = std::move(topic), count = *partitions,
                        done = std::move(done)]() mutable {
    self->create_checked(std::move(topic), count, std::move(done));
  });
}

void topic_admin::create_checked(new_topic topic, std::int32_t partitions,
                                 reply<created_topic> done) {
  metadata::new_topic made;
  made.name = topic.name;
  made.partitions = partitions;
  own_configs::changes own;
  for (const auto& [config, value] : topic.configs) {
    if (own_configs::is_own(config)) {
      own.emplace_back(config, value);
    } else {
      made.configs.emplace(config, value);
    }
  }
  auto warnings = model::is_internal_topic(topic.name)
                      ? std::vector<std::string>()
                      : model::topic_config_warnings(topic.configs);
  for (const std::string& warning : warnings) {
    outside_.sink.log(log_level::warning, "topic {}: {}", topic.name, warning);
  }
  if (own.empty() || configs_.is_in_memory()) {
    return create_stored(std::move(made), std::move(warnings), std::move(done));
  }
  // Known before the topic is, so that no crash and no append comes between.
  outside_.engine.post([self = shared_from_this(), made = std::move(made), own = std::move(own),
                        warnings = std::move(warnings), done = std::move(done)]() mutable {
    const uuid id = uuid::make_random(self->outside_.random);
    made.id = id;
    const std::string scope = own_configs::topic_scope(id);
    const auto kept = self->configs_.own().change(scope, own);
    if (!kept.ok()) return done(kept.failure());
    self->create_stored(
        std::move(made), std::move(warnings),
        [self, scope, done = std::move(done)](result<created_topic> created) mutable {
          if (!created.ok()) self->forget_own(scope);
          done(std::move(created));
        });
  });
}

// For a topic that is not there.
void topic_admin::forget_own(const std::string& scope) {
  outside_.engine.post([self = shared_from_this(), scope] {
    const status forgotten = self->configs_.own().forget(scope);
    if (forgotten.ok()) return;
    self->outside_.sink.log(log_level::warning, "configs of a deleted topic are kept: {}",
                            forgotten.failure().message);
  });
}

void topic_admin::create_stored(metadata::new_topic made, std::vector<std::string> warnings,
                                reply<created_topic> done) {
  outside_.controller.create_topic(
      std::move(made), [warnings = std::move(warnings),
                        done = std::move(done)](result<metadata::topic_ptr> created) mutable {
        if (!created.ok()) return done(std::move(created.failure()));
        created_topic answer;
        answer.name = (*created)->name;
        answer.id = (*created)->id;
        answer.partitions = static_cast<std::int32_t>((*created)->partitions.size());
        answer.warnings = std::move(warnings);
        done(std::move(answer));
      });
}

void topic_admin::remove(const std::string& name, reply<uuid> done) {
  const auto topic = outside_.controller.published()->find_topic(name);
  if (topic == nullptr) return done(unknown_topic(name));
  if (!configs_.broker_values()->flag("delete.topic.enable")) {
    return done(error{error_code::policy_violation,
                      "Topic deletion is disabled: delete.topic.enable is false."});
  }
  {
    const std::lock_guard guard(mutex_);
    deletions_[name];
  }
  outside_.controller.delete_topic(
      topic->id, [self = shared_from_this(), name,
                  done = std::move(done)](result<metadata::topic_ptr> deleted) mutable {
        if (deleted.ok()) return self->delete_logs(*deleted, std::move(done));
        self->deletion_ended(name);
        if (deleted.code() == error_code::unknown_topic_id) return done(unknown_topic(name));
        done(std::move(deleted.failure()));
      });
}

void topic_admin::delete_logs(const metadata::topic_ptr& topic, reply<uuid> done) {
  partitions_.forget(*topic);
  forget_own(own_configs::topic_scope(topic->id));
  struct pending_deletion {
    std::atomic<std::size_t> left;
    std::mutex mutex;
    status outcome;
    reply<uuid> done;
  };
  auto pending = std::make_shared<pending_deletion>();
  pending->left = topic->partitions.size();
  pending->done = std::move(done);
  for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
    outside_.logs.delete_log({topic->name, partition_id_t(static_cast<std::int32_t>(i))},
                             [self = shared_from_this(), pending, topic](const status& deleted) {
                               if (!deleted.ok()) {
                                 const std::lock_guard guard(pending->mutex);
                                 pending->outcome = deleted;
                               }
                               if (--pending->left != 0) return;
                               self->deletion_ended(topic->name);
                               if (!pending->outcome.ok())
                                 return pending->done(pending->outcome.failure());
                               pending->done(topic->id);
                             });
  }
}

void topic_admin::after_deletion(const std::string& name, task action) {
  {
    const std::lock_guard guard(mutex_);
    const auto under_way = deletions_.find(name);
    if (under_way != deletions_.end()) {
      under_way->second.push_back(std::move(action));
      return;
    }
  }
  action();
}

void topic_admin::deletion_ended(const std::string& name) {
  std::vector<task> waiting;
  {
    const std::lock_guard guard(mutex_);
    const auto ended = deletions_.find(name);
    if (ended == deletions_.end()) return;
    waiting = std::move(ended->second);
    deletions_.erase(ended);
  }
  for (task& action : waiting) action();
}

void topic_admin::create_partitions(const std::string& name, std::int32_t count, bool validate_only,
                                    reply<std::int32_t> done) {
  const auto topic = outside_.controller.published()->find_topic(name);
  if (topic == nullptr) return done(unknown_topic(name));
  const auto current = static_cast<std::int32_t>(topic->partitions.size());
  if (count == current) {
    return done(
        make_error(error_code::invalid_partitions, "Topic already has {} partition(s).", current));
  }
  if (count < current) {
    return done(make_error(error_code::invalid_partitions,
                           "The topic {} currently has {} partition(s); {} would not be an "
                           "increase.",
                           name, current, count));
  }
  if (model::is_internal_topic(name)) {
    return done(make_error(error_code::invalid_topic,
                           "{} cannot grow: what it keeps would be looked for in other partitions",
                           name));
  }
  if (auto excess = creation_total{count - current, count - current}.excess()) {
    return done(std::move(*excess));
  }
  if (validate_only) return done(count);
  outside_.controller.create_partitions(
      topic->id, count, [done = std::move(done)](result<metadata::topic_ptr> grown) mutable {
        if (!grown.ok()) return done(std::move(grown.failure()));
        done(static_cast<std::int32_t>((*grown)->partitions.size()));
      });
}

}  // namespace ringlog::broker
