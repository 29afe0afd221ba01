#include "metadata/topic_index.h"

#include <utility>

namespace ringlog::metadata {

partition_ptr topic_state::find_partition(partition_id_t partition) const {
  const auto index = static_cast<std::size_t>(partition.value());
  if (partition.value() < 0 || index >= partitions.size()) return nullptr;
  return partitions[index];
}

topic_ptr topic_index::find(std::string_view name) const {
  const auto& shard = *by_name_[shard_of(name)];
  const auto found = shard.find(name);
  return found == shard.end() ? nullptr : found->second;
}

topic_ptr topic_index::find(const uuid& id) const {
  const auto& shard = *by_id_[shard_of(id)];
  const auto found = shard.find(id);
  return found == shard.end() ? nullptr : found->second;
}

std::size_t topic_index::size() const {
  std::size_t total = 0;
  for (const auto& shard : by_id_) total += shard->size();
  return total;
}

void topic_index::put(topic_ptr topic) {
  by_name_[shard_of(topic->name)].edit().insert_or_assign(topic->name, topic);
  const uuid id = topic->id;
  by_id_[shard_of(id)].edit().insert_or_assign(id, std::move(topic));
}

void topic_index::remove(const topic_state& topic) {
  by_id_[shard_of(topic.id)].edit().erase(topic.id);
  auto& named = by_name_[shard_of(topic.name)].edit();
  const auto found = named.find(topic.name);
  if (found != named.end() && found->second->id == topic.id) named.erase(found);
}

}  // namespace ringlog::metadata
