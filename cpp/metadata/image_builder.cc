#include "metadata/image_builder.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace ringlog::metadata {

namespace {

constexpr std::int32_t no_leader_change = -2;  // PartitionChangeRecord.leader

std::vector<node_id_t> to_nodes(const std::vector<std::int32_t>& ids) {
  std::vector<node_id_t> nodes;
  nodes.reserve(ids.size());
  for (const std::int32_t id : ids) nodes.emplace_back(id);
  return nodes;
}

std::optional<std::vector<node_id_t>> to_nodes(
    const std::optional<std::vector<std::int32_t>>& ids) {
  if (!ids) return std::nullopt;
  return to_nodes(*ids);
}

partition_state to_state(const protocol::partition_record& record) {
  partition_state state;
  state.replicas = to_nodes(record.replicas);
  state.in_sync_replicas = to_nodes(record.isr);
  state.removing_replicas = to_nodes(record.removing_replicas);
  state.adding_replicas = to_nodes(record.adding_replicas);
  state.directories = record.directories;
  state.leader = node_id_t(record.leader);
  state.leader_epoch = leader_epoch_t(record.leader_epoch);
  state.partition_epoch = record.partition_epoch;
  state.leader_recovery_state = record.leader_recovery_state;
  state.eligible_leader_replicas = to_nodes(record.eligible_leader_replicas);
  state.last_known_eligible_leader_replicas = to_nodes(record.last_known_elr);
  return state;
}

// Kafka: PartitionRegistration.merge.
void merge(partition_state& state, const protocol::partition_change_record& change) {
  if (change.isr) state.in_sync_replicas = to_nodes(*change.isr);
  if (change.replicas) state.replicas = to_nodes(*change.replicas);
  if (change.removing_replicas) state.removing_replicas = to_nodes(*change.removing_replicas);
  if (change.adding_replicas) state.adding_replicas = to_nodes(*change.adding_replicas);
  if (change.directories) state.directories = *change.directories;
  if (change.eligible_leader_replicas) {
    state.eligible_leader_replicas = to_nodes(*change.eligible_leader_replicas);
  }
  if (change.last_known_elr) {
    state.last_known_eligible_leader_replicas = to_nodes(*change.last_known_elr);
  }
  if (change.leader_recovery_state != -1) {
    state.leader_recovery_state = change.leader_recovery_state;
  }
  if (change.leader != no_leader_change) {
    state.leader = node_id_t(change.leader);
    ++state.leader_epoch;
  }
  ++state.partition_epoch;
}

quota_entity to_entity(const protocol::client_quota_record& record) {
  quota_entity entity;
  for (const auto& part : record.entity) entity.emplace_back(part.entity_type, part.entity_name);
  std::sort(entity.begin(), entity.end());
  return entity;
}

}  // namespace

status image_builder::apply(const protocol::metadata_record& record) {
  return std::visit(
      [&]<typename Message>(const Message& message) {
        if constexpr (std::same_as<Message, protocol::unknown_metadata_message>) {
          return apply(message, record.version);
        } else {
          return apply(message);
        }
      },
      record.message);
}

void image_builder::set_position(offset_t next_offset, leader_epoch_t epoch,
                                 std::int64_t timestamp) {
  for (image* target : {&image_, before_transaction_ ? &*before_transaction_ : nullptr}) {
    if (target == nullptr) continue;
    target->next_offset = next_offset;
    target->epoch = epoch;
    target->last_timestamp = timestamp;
  }
}

image_ptr image_builder::finish() && {
  if (before_transaction_) return std::make_shared<image>(std::move(*before_transaction_));
  install_topics();
  return std::make_shared<image>(std::move(image_));
}

void image_builder::install_topics() {
  if (changed_topics_.empty()) return;
  topic_index& index = image_.topics.edit();
  for (auto& [id, topic] : changed_topics_) index.put(std::move(topic));
  changed_topics_.clear();
}

result<topic_state*> image_builder::edit_topic(const uuid& id) {
  const auto changed = changed_topics_.find(id);
  if (changed != changed_topics_.end()) return changed->second.get();
  const topic_ptr topic = image_.find_topic(id);
  if (topic == nullptr) {
    return make_error(error_code::corrupt,
                      "a metadata record names the topic id {}, which no "
                      "topic has",
                      id);
  }
  auto copy = std::make_shared<topic_state>(*topic);
  return changed_topics_.emplace(id, std::move(copy)).first->second.get();
}

// ---- topics

status image_builder::apply(const protocol::topic_record& record) {
  auto topic = std::make_shared<topic_state>();
  topic->name = record.name;
  topic->id = record.topic_id;
  changed_topics_.insert_or_assign(record.topic_id, std::move(topic));
  return {};
}

status image_builder::apply(const protocol::partition_record& record) {
  TRY_ASSIGN(topic_state * topic, edit_topic(record.topic_id));
  if (record.partition_id < 0 || record.partition_id >= limits::topic_partitions_max) {
    return make_error(error_code::corrupt, "topic {} has a partition {}", topic->name,
                      record.partition_id);
  }
  const auto index = static_cast<std::size_t>(record.partition_id);
  if (topic->partitions.size() <= index) topic->partitions.resize(index + 1);
  topic->partitions[index] = std::make_shared<partition_state>(to_state(record));
  return {};
}

status image_builder::apply(const protocol::partition_change_record& record) {
  TRY_ASSIGN(topic_state * topic, edit_topic(record.topic_id));
  const partition_ptr before = topic->find_partition(partition_id_t(record.partition_id));
  if (before == nullptr) {
    return make_error(error_code::corrupt,
                      "a metadata record changes partition {} of topic {}, "
                      "which has no such partition",
                      record.partition_id, topic->name);
  }
  auto after = std::make_shared<partition_state>(*before);
  merge(*after, record);
  topic->partitions[static_cast<std::size_t>(record.partition_id)] = std::move(after);
  return {};
}

status image_builder::apply(const protocol::remove_topic_record& record) {
  install_topics();
  const topic_ptr topic = image_.find_topic(record.topic_id);
  if (topic == nullptr) return {};
  image_.topics.edit().remove(*topic);
  if (image_.find_topic(topic->name) == nullptr) {
    image_.configs.edit().erase({config_resource_type::topic, topic->name});
  }
  return {};
}

status image_builder::apply(const protocol::clear_elr_record& record) {
  install_topics();
  std::vector<uuid> named;
  image_.topics->for_each([&](const topic_ptr& topic) {
    if (record.topic_name.empty() || topic->name == record.topic_name) named.push_back(topic->id);
  });
  for (const uuid& id : named) {
    TRY_ASSIGN(topic_state * edited, edit_topic(id));
    for (partition_ptr& partition : edited->partitions) {
      auto cleared = std::make_shared<partition_state>(*partition);
      cleared->eligible_leader_replicas.reset();
      cleared->last_known_eligible_leader_replicas.reset();
      partition = std::move(cleared);
    }
  }
  return {};
}

status image_builder::apply(const protocol::config_record& record) {
  const config_resource resource{static_cast<config_resource_type>(record.resource_type),
                                 record.resource_name};
  auto& configs = image_.configs.edit();
  if (record.value) {
    configs[resource].insert_or_assign(record.name, *record.value);
    return {};
  }
  const auto found = configs.find(resource);
  if (found == configs.end()) return {};
  found->second.erase(record.name);
  if (found->second.empty()) configs.erase(found);
  return {};
}

// ---- nodes

result<protocol::register_broker_record*> image_builder::edit_broker(std::int32_t id) {
  const auto found = image_.brokers->find(id);
  if (found == image_.brokers->end()) {
    return make_error(error_code::corrupt,
                      "a metadata record names broker {}, which is not "
                      "registered",
                      id);
  }
  return &image_.brokers.edit().find(id)->second;
}

status image_builder::apply(const protocol::register_broker_record& record) {
  image_.brokers.edit().insert_or_assign(record.broker_id, record);
  return {};
}

status image_builder::apply(const protocol::unregister_broker_record& record) {
  image_.brokers.edit().erase(record.broker_id);
  return {};
}

status image_builder::apply(const protocol::fence_broker_record& record) {
  TRY_ASSIGN(protocol::register_broker_record * broker, edit_broker(record.id));
  broker->fenced = true;
  return {};
}

status image_builder::apply(const protocol::unfence_broker_record& record) {
  TRY_ASSIGN(protocol::register_broker_record * broker, edit_broker(record.id));
  broker->fenced = false;
  return {};
}

status image_builder::apply(const protocol::broker_registration_change_record& record) {
  TRY_ASSIGN(protocol::register_broker_record * broker, edit_broker(record.broker_id));
  if (record.fenced != 0) broker->fenced = record.fenced > 0;
  if (record.in_controlled_shutdown != 0) broker->in_controlled_shutdown = true;
  if (!record.log_dirs.empty()) broker->log_dirs = record.log_dirs;
  if (record.cordoned_log_dirs) broker->cordoned_log_dirs = record.cordoned_log_dirs;
  return {};
}

status image_builder::apply(const protocol::register_controller_record& record) {
  image_.controllers.edit().insert_or_assign(record.controller_id, record);
  return {};
}

// ---- features, quotas, producer ids, users

status image_builder::apply(const protocol::feature_level_record& record) {
  if (record.feature_level == 0) {
    image_.features.edit().erase(record.name);
  } else {
    image_.features.edit().insert_or_assign(record.name, record.feature_level);
  }
  return {};
}

status image_builder::apply(const protocol::client_quota_record& record) {
  auto& quotas = image_.quotas.edit();
  const quota_entity entity = to_entity(record);
  if (!record.remove) {
    quotas[entity].insert_or_assign(record.key, record.value);
    return {};
  }
  const auto found = quotas.find(entity);
  if (found == quotas.end()) return {};
  found->second.erase(record.key);
  if (found->second.empty()) quotas.erase(found);
  return {};
}

status image_builder::apply(const protocol::producer_ids_record& record) {
  image_.next_producer_id = producer_id_t(record.next_producer_id);
  return {};
}

status image_builder::apply(const protocol::access_control_entry_record& record) {
  image_.access_controls.edit().insert_or_assign(record.id, record);
  return {};
}

status image_builder::apply(const protocol::remove_access_control_entry_record& record) {
  image_.access_controls.edit().erase(record.id);
  return {};
}

status image_builder::apply(const protocol::user_scram_credential_record& record) {
  image_.scram_credentials.edit().insert_or_assign({record.name, record.mechanism}, record);
  return {};
}

status image_builder::apply(const protocol::remove_user_scram_credential_record& record) {
  image_.scram_credentials.edit().erase({record.name, record.mechanism});
  return {};
}

status image_builder::apply(const protocol::delegation_token_record& record) {
  image_.delegation_tokens.edit().insert_or_assign(record.token_id, record);
  return {};
}

status image_builder::apply(const protocol::remove_delegation_token_record& record) {
  image_.delegation_tokens.edit().erase(record.token_id);
  return {};
}

status image_builder::apply(const protocol::unknown_metadata_message& message,
                            std::int16_t version) {
  image_.unknown_records.edit().push_back({message, version});
  return {};
}

// ---- transactions

status image_builder::apply(const protocol::begin_transaction_record&) {
  if (before_transaction_) {
    return make_error(error_code::corrupt, "a metadata transaction begins inside another");
  }
  install_topics();
  before_transaction_ = image_;
  return {};
}

status image_builder::apply(const protocol::end_transaction_record&) {
  if (!before_transaction_) {
    return make_error(error_code::corrupt, "a metadata transaction ends that has not begun");
  }
  before_transaction_.reset();
  return {};
}

// Without a begin when the image was made after a kill within a transaction.
status image_builder::apply(const protocol::abort_transaction_record&) {
  if (!before_transaction_) return {};
  changed_topics_.clear();
  image_ = *before_transaction_;
  before_transaction_.reset();
  return {};
}

}  // namespace ringlog::metadata
