#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/uuid.h"
#include "model/types.h"

namespace ringlog::metadata {

// A partition as the metadata log has it (Kafka: PartitionRegistration).
struct partition_state {
  std::vector<node_id_t> replicas;
  std::vector<node_id_t> in_sync_replicas;
  std::vector<node_id_t> removing_replicas;
  std::vector<node_id_t> adding_replicas;
  std::vector<uuid> directories;  // of each replica; empty before metadata.version 3.7-IV2
  node_id_t leader{-1};           // -1: none; so Kafka leaves its partitions at a clean stop
  leader_epoch_t leader_epoch{no_leader_epoch};
  std::int32_t partition_epoch = -1;
  std::int8_t leader_recovery_state = 0;  // 1: elected uncleanly
  std::optional<std::vector<node_id_t>> eligible_leader_replicas;
  std::optional<std::vector<node_id_t>> last_known_eligible_leader_replicas;

  bool operator==(const partition_state&) const = default;

  bool has_replica(node_id_t node) const;
};

using partition_ptr = std::shared_ptr<const partition_state>;

}  // namespace ringlog::metadata
