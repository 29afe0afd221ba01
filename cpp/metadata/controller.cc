#include "metadata/controller.h"

#include <concepts>
#include <mutex>
#include <utility>

#include "base/limits.h"
#include "metadata/image_records.h"
#include "metadata/new_directory.h"

namespace ringlog::metadata {

namespace {

using records = std::vector<protocol::metadata_record>;

constexpr std::int32_t producer_ids_in_block = 1000;  // Kafka: ProducerIdsBlock
constexpr std::int8_t fence = 1;                      // BrokerRegistrationChangeRecord.fenced

// A fenced node leads nothing, so the partitions of ours have no leader in the records, as after
// Kafka's controlled shutdown. One that takes over elects itself when it is registered; were it
// named before, its group coordinator would load, be stopped by the election, and complain.
constexpr node_id_t no_leader{-1};

error unknown_topic(const uuid& id) {
  return make_error(error_code::unknown_topic_id, "no topic has the id {}", id);
}

record_versions versions_of(const image& now) {
  return record_versions::of(now.feature_level(metadata_version_feature));
}

result<topic_ptr> find(const image& now, const uuid& topic_id) {
  topic_ptr topic = now.find_topic(topic_id);
  if (topic == nullptr) return unknown_topic(topic_id);
  return topic;
}

protocol::metadata_record config_of(const config_resource& resource, const std::string& name,
                                    std::optional<std::string> value) {
  protocol::config_record record;
  record.resource_type = static_cast<std::int8_t>(resource.type);
  record.resource_name = resource.name;
  record.name = name;
  record.value = std::move(value);
  return {std::move(record), 0};
}

std::optional<double> quota_of(const image& now, const quota_change& change) {
  const auto entity = now.quotas->find(change.entity);
  if (entity == now.quotas->end()) return std::nullopt;
  const auto found = entity->second.find(change.key);
  return found == entity->second.end() ? std::nullopt : std::optional(found->second);
}

status check_partition_count(std::int32_t count) {
  if (count >= 1 && count <= limits::topic_partitions_max) return {};
  return make_error(error_code::invalid_partitions, "{} partitions; a topic has 1 to {}", count,
                    limits::topic_partitions_max);
}

}  // namespace

struct controller::state : std::enable_shared_from_this<controller::state> {
  state(random_source& chosen, metadata_log_options given)
      : options(std::move(given)), random(chosen) {}

  const metadata_log_options options;
  std::unique_ptr<metadata_log> log;

  struct epoch_raise {
    uuid topic_id;
    partition_id_t partition;
    reply<leader_epoch_t> done;
  };

  image_ptr at_open;
  std::mutex mutex;  // held while deciding and appending, which do no I/O
  random_source& random;
  std::vector<epoch_raise> raises;  // that wait
  bool is_raising = false;          // a change for some is under way

  // decide(image) -> result<records> looks at everything appended; answer(image) makes the reply
  // from the image that has the records. No records: nothing is to be changed.
  template <typename T, typename Decide, typename Answer>
  void change(reply<T> done, Decide decide, Answer answer);

  void add_partition(const image& now, const uuid& topic_id, std::int32_t partition,
                     records& target) const;
  status register_node(storage::log_manager& logs);
  void raise_epochs();
  result<protocol::metadata_record> epoch_raised(const image& now, const epoch_raise& asked) const;
  bool is_new(const epoch_raise& asked) const;
  result<leader_epoch_t> epoch_of(const epoch_raise& raised) const;
};

template <typename T, typename Decide, typename Answer>
void controller::state::change(reply<T> done, Decide decide, Answer answer) {
  auto shared = std::make_shared<reply<T>>(std::move(done));
  auto finish = [shared, answer = std::move(answer)](result<image_ptr> after) mutable {
    static_cast<void>(answer);  // clang: unused where there is nothing to answer
    if (!after.ok()) return (*shared)(std::move(after.failure()));
    if constexpr (std::same_as<T, void>) {
      (*shared)({});
    } else {
      (*shared)(answer(**after));
    }
  };
  status appended;
  {
    const std::lock_guard lock(mutex);
    result<records> decided = decide(*log->appended());
    if (!decided.ok()) {
      appended = std::move(decided.failure());
    } else if (decided->empty()) {
      log->when_published(std::move(finish));
    } else {
      appended = log->append(std::move(decided).value(), std::move(finish));
    }
  }
  if (!appended.ok()) (*shared)(std::move(appended.failure()));
}

void controller::state::add_partition(const image& now, const uuid& topic_id,
                                      std::int32_t partition, records& target) const {
  partition_state created;
  created.replicas = created.in_sync_replicas = {options.node};
  created.leader = no_leader;
  created.leader_epoch = leader_epoch_t(0);
  created.partition_epoch = 0;
  const std::int16_t version = versions_of(now).partition;
  if (version > 0) created.directories = {options.directory_id};
  target.push_back({record_of(topic_id, partition_id_t(partition), created), version});
}

// Nothing sends heartbeats for this node, so its registration stays fenced: a Kafka that takes the
// directory over would wait nine seconds for the heartbeats of one that is not.
status controller::state::register_node(storage::log_manager& logs) {
  const std::lock_guard lock(mutex);
  const image_ptr now = log->appended();
  const auto found = now->brokers->find(options.node.value());
  const auto ignore = [](const result<image_ptr>&) {};
  if (found == now->brokers->end()) {
    auto ours = registration_of(options.node, options.directory_id, uuid::make_random(random),
                                now->next_offset);
    logs.set_broker_epoch(ours.broker_epoch);
    return log->append({{std::move(ours), versions_of(*now).register_broker}}, ignore);
  }
  const protocol::register_broker_record& registered = found->second;
  logs.set_broker_epoch(registered.broker_epoch);
  if (registered.fenced) return {};
  protocol::broker_registration_change_record change;
  change.broker_id = registered.broker_id;
  change.broker_epoch = registered.broker_epoch;
  change.fenced = fence;
  return log->append({{std::move(change), 0}}, ignore);
}

result<std::unique_ptr<controller>> controller::open(storage::services outside,
                                                     storage::log_manager& logs,
                                                     random_source& random,
                                                     metadata_log_options options) {
  auto opened = std::make_shared<state>(random, options);
  TRY_ASSIGN(opened->log, metadata_log::open(outside, logs, std::move(options)));
  opened->at_open = opened->log->published();
  TRY(opened->register_node(logs));
  return std::unique_ptr<controller>(new controller(std::move(opened)));
}

controller::controller(std::shared_ptr<state> opened) : state_(std::move(opened)) {}
controller::~controller() = default;

void controller::when_active(callback<void(status)> done) {
  state_->log->when_published([done = std::move(done)](result<image_ptr> outcome) mutable {
    done(outcome.ok() ? status() : status(std::move(outcome.failure())));
  });
}

image_ptr controller::published() const { return state_->log->published(); }

void controller::set_listener(
    callback<void(const image_ptr& before, const image_ptr& after)> listener) {
  state_->log->set_listener(std::move(listener));
}

void controller::create_topic(new_topic topic, reply<topic_ptr> done) {
  auto id = std::make_shared<uuid>();
  const auto decide = [&](const image& now) -> result<records> {
    if (now.find_topic(topic.name) != nullptr) {
      return make_error(error_code::topic_already_exists, "topic '{}' exists already", topic.name);
    }
    TRY(check_partition_count(topic.partitions));
    *id = topic.id ? *topic.id : uuid::make_random(state_->random);
    records decided;
    protocol::topic_record record;
    record.name = topic.name;
    record.topic_id = *id;
    decided.push_back({std::move(record), 0});
    for (const auto& [name, value] : topic.configs) {
      decided.push_back(config_of({config_resource_type::topic, topic.name}, name, value));
    }
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
      state_->add_partition(now, *id, i, decided);
    }
    return decided;
  };
  state_->change(std::move(done), decide, [id](const image& after) { return find(after, *id); });
}

void controller::delete_topic(const uuid& topic_id, reply<topic_ptr> done) {
  auto deleted = std::make_shared<topic_ptr>();
  const auto decide = [&](const image& now) -> result<records> {
    TRY_ASSIGN(*deleted, find(now, topic_id));
    protocol::remove_topic_record record;
    record.topic_id = topic_id;
    return records{{std::move(record), 0}};
  };
  state_->change(std::move(done), decide,
                 [deleted](const image&) { return result<topic_ptr>(*deleted); });
}

void controller::create_partitions(const uuid& topic_id, std::int32_t total,
                                   reply<topic_ptr> done) {
  const auto decide = [&](const image& now) -> result<records> {
    TRY_ASSIGN(const topic_ptr topic, find(now, topic_id));
    TRY(check_partition_count(total));
    const auto count = static_cast<std::int32_t>(topic->partitions.size());
    if (total <= count) {
      return make_error(error_code::invalid_partitions,
                        "topic '{}' has {} partitions already; {} is not more", topic->name, count,
                        total);
    }
    records decided;
    for (std::int32_t i = count; i < total; ++i) state_->add_partition(now, topic_id, i, decided);
    return decided;
  };
  state_->change(std::move(done), decide,
                 [topic_id](const image& after) { return find(after, topic_id); });
}

void controller::alter_configs(config_resource resource, std::vector<config_change> changes,
                               reply<void> done) {
  const auto decide = [&](const image& now) -> result<records> {
    if (resource.type == config_resource_type::topic && now.find_topic(resource.name) == nullptr) {
      return make_error(error_code::unknown_topic_or_partition, "there is no topic '{}'",
                        resource.name);
    }
    const config_values& before = now.configs_of(resource);
    records decided;
    for (auto& [name, value] : changes) {
      const auto found = before.find(name);
      const bool same = found == before.end() ? !value : value == found->second;
      if (!same) decided.push_back(config_of(resource, name, value));
    }
    return decided;
  };
  state_->change(std::move(done), decide, [](const image&) {});
}

void controller::alter_client_quotas(std::vector<quota_change> changes, reply<void> done) {
  const auto decide = [&](const image& now) -> result<records> {
    records decided;
    for (const quota_change& change : changes) {
      if (quota_of(now, change) == change.value) continue;
      protocol::client_quota_record record;
      for (const auto& [type, name] : change.entity) record.entity.push_back({type, name, {}});
      record.key = change.key;
      record.value = change.value.value_or(0);
      record.remove = !change.value;
      decided.push_back({std::move(record), 0});
    }
    return decided;
  };
  state_->change(std::move(done), decide, [](const image&) {});
}

void controller::update_features(std::vector<std::pair<std::string, std::int16_t>> levels,
                                 reply<void> done) {
  const auto decide = [&](const image& now) -> result<records> {
    records decided;
    for (const auto& [name, level] : levels) {
      if (now.feature_level(name) == level) continue;
      protocol::feature_level_record record;
      record.name = name;
      record.feature_level = level;
      decided.push_back({std::move(record), 0});
    }
    return decided;
  };
  state_->change(std::move(done), decide, [](const image&) {});
}

void controller::raise_leader_epoch(const uuid& topic_id, partition_id_t partition,
                                    reply<leader_epoch_t> done) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->raises.push_back({topic_id, partition, std::move(done)});
    if (std::exchange(state_->is_raising, true)) return;
  }
  state_->raise_epochs();
}

// Made since the open: nobody has appended to it under its first epoch but this node.
bool controller::state::is_new(const epoch_raise& asked) const {
  const topic_ptr topic = at_open->find_topic(asked.topic_id);
  return topic == nullptr || topic->find_partition(asked.partition) == nullptr;
}

result<protocol::metadata_record> controller::state::epoch_raised(const image& now,
                                                                  const epoch_raise& asked) const {
  TRY_ASSIGN(const topic_ptr topic, find(now, asked.topic_id));
  const partition_ptr found = topic->find_partition(asked.partition);
  if (found == nullptr) {
    return make_error(error_code::unknown_topic_or_partition, "topic '{}' has no partition {}",
                      topic->name, asked.partition);
  }
  if (!found->has_replica(options.node)) {
    return make_error(error_code::not_leader, "partition {}-{} has no replica on node {}",
                      topic->name, asked.partition, options.node);
  }
  protocol::partition_change_record change;
  change.partition_id = asked.partition.value();
  change.topic_id = asked.topic_id;
  change.leader = no_leader.value();  // written or not, it raises the epoch
  if (found->in_sync_replicas != std::vector{options.node}) {
    change.isr = std::vector{options.node.value()};
  }
  return protocol::metadata_record{std::move(change), 0};
}

// All that wait go into one change: each change copies the partitions of its topic, and many of
// them may be written to for the first time at once.
void controller::state::raise_epochs() {
  auto asked = std::make_shared<std::vector<epoch_raise>>();
  {
    const std::lock_guard lock(mutex);
    asked->swap(raises);
  }
  std::vector<std::pair<reply<leader_epoch_t>, error>> refused;
  const auto decide = [&](const image& now) -> result<records> {
    records decided;
    std::vector<epoch_raise> possible;
    for (epoch_raise& each : *asked) {
      auto record = epoch_raised(now, each);
      if (!record.ok()) {
        refused.emplace_back(std::move(each.done), std::move(record.failure()));
        continue;
      }
      if (!is_new(each)) decided.push_back(std::move(record).value());
      possible.push_back(std::move(each));
    }
    asked->swap(possible);
    return decided;
  };
  const auto finish = [weak = weak_from_this(), asked](const status& outcome) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    for (epoch_raise& each : *asked) {
      each.done(outcome.ok() ? self->epoch_of(each) : result<leader_epoch_t>(outcome.failure()));
    }
    {
      const std::lock_guard lock(self->mutex);
      self->is_raising = !self->raises.empty();
      if (!self->is_raising) return;
    }
    self->raise_epochs();
  };
  change(reply<void>(finish), decide, [](const image&) {});
  for (auto& [done, why] : refused) done(std::move(why));
}

result<leader_epoch_t> controller::state::epoch_of(const epoch_raise& raised) const {
  TRY_ASSIGN(const topic_ptr topic, find(*log->published(), raised.topic_id));
  return topic->find_partition(raised.partition)->leader_epoch;
}

void controller::allocate_producer_ids(reply<producer_id_block> done) {
  auto block = std::make_shared<producer_id_block>();
  const auto decide = [&](const image& now) -> result<records> {
    *block = {now.next_producer_id, producer_ids_in_block};
    protocol::producer_ids_record record;
    record.broker_id = state_->options.node.value();
    const auto registered = now.brokers->find(record.broker_id);
    if (registered != now.brokers->end()) record.broker_epoch = registered->second.broker_epoch;
    record.next_producer_id = (block->first + block->count).value();
    return records{{std::move(record), 0}};
  };
  state_->change(std::move(done), decide,
                 [block](const image&) { return result<producer_id_block>(*block); });
}

status controller::write_snapshot() { return state_->log->write_snapshot(); }
status controller::write_due_snapshot() { return state_->log->write_due_snapshot(); }

}  // namespace ringlog::metadata
