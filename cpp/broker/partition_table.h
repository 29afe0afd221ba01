#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/hash_map.h"
#include "broker/config_service.h"
#include "broker/partition.h"
#include "broker/services.h"

namespace ringlog::broker {

// The partitions of this node by name, opened when first asked for (Kafka: ReplicaManager's
// allPartitions). Any thread.
class partition_table {
 public:
  partition_table(broker_services outside, config_service& configs);

  // The partition as metadata has it now. unknown_topic_or_partition, or why its log cannot be
  // opened.
  result<std::shared_ptr<partition>> find(const topic_partition& tp);

  // As find(), but null where the partition would have to be opened, which reads files.
  result<std::shared_ptr<partition>> find_open(const topic_partition& tp);

  // Kafka's check of the epoch that a client believes in (KIP-320): fenced or unknown.
  status check_leader_epoch(const topic_partition& tp, leader_epoch_t current) const;

  std::vector<std::shared_ptr<partition>> opened() const;

  // Forgets the partitions of a deleted topic and refuses what waits for them.
  void forget(const metadata::topic_state& deleted);

  // Refuses everything from now on.
  void close(const error& why);

 private:
  result<std::shared_ptr<partition>> find_in_table(const topic_partition& tp) const;
  result<metadata::topic_ptr> topic_of(const topic_partition& tp) const;

  const broker_services outside_;
  config_service& configs_;
  const std::shared_ptr<room_queue> no_room_;
  mutable std::mutex mutex_;
  std::optional<error> closed_;
  hash_map<topic_partition, std::shared_ptr<partition>> partitions_;
};

error unknown_partition(const topic_partition& tp);

}  // namespace ringlog::broker
