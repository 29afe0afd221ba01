#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "base/uuid.h"
#include "metadata/cow.h"
#include "metadata/partition_state.h"
#include "model/types.h"

namespace ringlog::metadata {

struct topic_state {
  std::string name;
  uuid id;
  std::vector<partition_ptr> partitions;  // by partition id; never null in a published image

  // Null when there is no such partition.
  partition_ptr find_partition(partition_id_t partition) const;
};

using topic_ptr = std::shared_ptr<const topic_state>;

// The topics of an image by name and by id. In shards that images share, so that a change of one
// topic among ten thousand copies a few dozen pointers and not all.
class topic_index {
 public:
  // Null when there is no such topic.
  topic_ptr find(std::string_view name) const;
  topic_ptr find(const uuid& id) const;

  std::size_t size() const;

  // Takes the place of the topic with the same id.
  void put(topic_ptr topic);
  void remove(const topic_state& topic);

  // In no particular order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& shard : by_id_) {
      for (const auto& [id, topic] : *shard) visit(topic);
    }
  }

 private:
  static constexpr std::size_t shard_count = 256;

  static std::size_t shard_of(std::string_view name) { return text_hash{}(name) % shard_count; }
  static std::size_t shard_of(const uuid& id) { return hash_value(id) % shard_count; }

  std::array<copy_on_write<text_map<topic_ptr>>, shard_count> by_name_;
  std::array<copy_on_write<hash_map<uuid, topic_ptr>>, shard_count> by_id_;
};

}  // namespace ringlog::metadata
