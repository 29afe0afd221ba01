#include "metadata/image_records.h"

#include <utility>

namespace ringlog::metadata {

namespace {

using records = std::vector<protocol::metadata_record>;

// The levels of metadata.version that brought a field (Kafka: MetadataVersion).
constexpr std::int16_t controlled_shutdown_level = 7;  // 3.3-IV3
constexpr std::int16_t zookeeper_migration_level = 8;  // 3.4-IV0
constexpr std::int16_t log_directories_level = 17;     // 3.7-IV2
constexpr std::int16_t eligible_leaders_level = 23;    // 4.0-IV1
constexpr std::int16_t cordoned_directories_level = 30;

std::vector<std::int32_t> to_ids(const std::vector<node_id_t>& nodes) {
  std::vector<std::int32_t> ids;
  ids.reserve(nodes.size());
  for (const node_id_t node : nodes) ids.push_back(node.value());
  return ids;
}

// An empty list is left out, as Kafka does.
std::optional<std::vector<std::int32_t>> to_ids(
    const std::optional<std::vector<node_id_t>>& nodes) {
  if (!nodes || nodes->empty()) return std::nullopt;
  return to_ids(*nodes);
}

void add_features(const image& source, records& target) {
  const auto add = [&](const std::string& name, std::int16_t level) {
    protocol::feature_level_record record;
    record.name = name;
    record.feature_level = level;
    target.push_back({std::move(record), 0});
  };
  // What follows is read by its level, so metadata.version comes first.
  const auto first = source.features->find(metadata_version_feature);
  if (first != source.features->end()) add(first->first, first->second);
  for (const auto& [name, level] : *source.features) {
    if (name != metadata_version_feature) add(name, level);
  }
}

void add_topics(const image& source, const record_versions& versions, records& target) {
  std::map<std::string_view, const topic_state*> by_name;  // a snapshot is the same each time
  source.topics->for_each(
      [&](const topic_ptr& topic) { by_name.emplace(topic->name, topic.get()); });
  for (const auto& [name, topic] : by_name) {
    protocol::topic_record record;
    record.name = name;
    record.topic_id = topic->id;
    target.push_back({std::move(record), 0});
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const partition_id_t partition(static_cast<std::int32_t>(i));
      target.push_back(
          {record_of(topic->id, partition, *topic->partitions[i]), versions.partition});
    }
  }
}

void add_configs(const image& source, records& target) {
  for (const auto& [resource, values] : *source.configs) {
    for (const auto& [name, value] : values) {
      protocol::config_record record;
      record.resource_type = static_cast<std::int8_t>(resource.type);
      record.resource_name = resource.name;
      record.name = name;
      record.value = value;
      target.push_back({std::move(record), 0});
    }
  }
}

void add_quotas(const image& source, records& target) {
  for (const auto& [entity, quotas] : *source.quotas) {
    for (const auto& [key, value] : quotas) {
      protocol::client_quota_record record;
      for (const auto& [type, name] : entity) {
        auto& part = record.entity.emplace_back();
        part.entity_type = type;
        part.entity_name = name;
      }
      record.key = key;
      record.value = value;
      target.push_back({std::move(record), 0});
    }
  }
}

template <typename Map>
void add_all(const Map& map, records& target) {
  for (const auto& [key, record] : map) target.push_back({record, 0});
}

}  // namespace

record_versions record_versions::of(std::int16_t metadata_version) {
  record_versions versions;
  for (const std::int16_t level : {controlled_shutdown_level, zookeeper_migration_level,
                                   log_directories_level, cordoned_directories_level}) {
    if (metadata_version >= level) ++versions.register_broker;
  }
  for (const std::int16_t level : {log_directories_level, eligible_leaders_level}) {
    if (metadata_version >= level) ++versions.partition;
  }
  versions.partition_change = versions.partition;
  return versions;
}

protocol::partition_record record_of(const uuid& topic_id, partition_id_t partition,
                                     const partition_state& state) {
  protocol::partition_record record;
  record.partition_id = partition.value();
  record.topic_id = topic_id;
  record.replicas = to_ids(state.replicas);
  record.isr = to_ids(state.in_sync_replicas);
  record.removing_replicas = to_ids(state.removing_replicas);
  record.adding_replicas = to_ids(state.adding_replicas);
  record.leader = state.leader.value();
  record.leader_recovery_state = state.leader_recovery_state;
  record.leader_epoch = state.leader_epoch.value();
  record.partition_epoch = state.partition_epoch;
  record.directories = state.directories;
  record.eligible_leader_replicas = to_ids(state.eligible_leader_replicas);
  record.last_known_elr = to_ids(state.last_known_eligible_leader_replicas);
  return record;
}

records records_of(const image& source) {
  const auto versions = record_versions::of(source.feature_level(metadata_version_feature));
  records target;
  add_features(source, target);
  for (const auto& [id, broker] : *source.brokers) {
    target.push_back({broker, versions.register_broker});
  }
  add_all(*source.controllers, target);
  add_topics(source, versions, target);
  add_configs(source, target);
  add_quotas(source, target);
  if (source.next_producer_id > producer_id_t(0)) {
    protocol::producer_ids_record record;
    record.broker_id = -1;
    record.next_producer_id = source.next_producer_id.value();
    target.push_back({std::move(record), 0});
  }
  add_all(*source.access_controls, target);
  add_all(*source.scram_credentials, target);
  add_all(*source.delegation_tokens, target);
  target.insert(target.end(), source.unknown_records->begin(), source.unknown_records->end());
  return target;
}

}  // namespace ringlog::metadata
