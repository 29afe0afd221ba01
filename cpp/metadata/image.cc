#include "metadata/image.h"

#include <algorithm>

namespace ringlog::metadata {

bool partition_state::has_replica(node_id_t node) const {
  return std::find(replicas.begin(), replicas.end(), node) != replicas.end();
}

partition_ptr topic_state::find_partition(partition_id_t partition) const {
  const auto index = static_cast<std::size_t>(partition.value());
  if (partition.value() < 0 || index >= partitions.size()) return nullptr;
  return partitions[index];
}

topic_ptr image::find_topic(std::string_view name) const {
  const auto found = topics->by_name.find(name);
  return found == topics->by_name.end() ? nullptr : found->second;
}

topic_ptr image::find_topic(const uuid& id) const {
  const auto found = topics->by_id.find(id);
  return found == topics->by_id.end() ? nullptr : found->second;
}

const config_values& image::configs_of(const config_resource& resource) const {
  static const config_values none;
  const auto found = configs->find(resource);
  return found == configs->end() ? none : found->second;
}

std::int16_t image::feature_level(std::string_view name) const {
  const auto found = features->find(name);
  return found == features->end() ? std::int16_t{0} : found->second;
}

}  // namespace ringlog::metadata
