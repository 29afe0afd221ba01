#include "metadata/image.h"

#include <algorithm>

namespace ringlog::metadata {

bool partition_state::has_replica(node_id_t node) const {
  return std::find(replicas.begin(), replicas.end(), node) != replicas.end();
}

topic_ptr image::find_topic(std::string_view name) const { return topics->find(name); }

topic_ptr image::find_topic(const uuid& id) const { return topics->find(id); }

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
