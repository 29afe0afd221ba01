#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "metadata/image.h"
#include "metadata/metadata_log.h"
#include "model/types.h"
#include "storage/log_manager.h"
#include "storage/services.h"

namespace ringlog::metadata {

struct new_topic {
  std::string name;
  std::int32_t partitions = 1;
  config_values configs;
  std::optional<uuid> id;  // where the caller has to know it before; else a random one
};

// No value: the config is removed.
using config_change = std::pair<std::string, std::optional<std::string>>;

// No value: the quota is removed.
struct quota_change {
  quota_entity entity;
  std::string key;
  std::optional<double> value;
};

// Producer ids [first, first + count) belong to the caller.
struct producer_id_block {
  producer_id_t first;
  std::int32_t count = 0;
};

// The one writer of metadata (Kafka: QuorumController): decides upon the appended image, writes
// records, answers when they are durable and published. Names, counts and config values have been
// checked by the broker; existence and conflicts are checked here. Owned by the node; the
// log_manager and the services outlive it. Any thread may call; `done` runs once, inside the call
// when the answer is a refusal, else on the engine's thread. After a failed write every call fails.
class controller {
 public:
  template <typename T>
  using reply = callback<void(result<T>)>;

  // Opens the metadata log and begins a new epoch. `random` is used by whoever calls, one at a
  // time. A new directory gets the feature levels that we finalise and the
  // registration of this node; a registration that is not fenced (Kafka was killed) is fenced, so
  // that the next Kafka need not wait for it.
  static result<std::unique_ptr<controller>> open(storage::services outside,
                                                  storage::log_manager& logs, random_source& random,
                                                  metadata_log_options options);
  ~controller();

  // Answers when what open() appended is durable: before that nothing may be served.
  void when_active(callback<void(status)> done);

  // Metadata as it is durable. Any thread.
  image_ptr published() const;

  // Called on the engine's thread after each publication, in order, before the answers of the
  // changes in it. One listener; an empty one removes it.
  void set_listener(callback<void(const image_ptr& before, const image_ptr& after)> listener);

  // This node alone gets the replicas, leader epoch 0. topic_already_exists.
  void create_topic(new_topic topic, reply<topic_ptr> done);

  // With its configs. unknown_topic_id.
  void delete_topic(const uuid& topic_id, reply<topic_ptr> done);

  // `total` is the new number of partitions. unknown_topic_id, invalid_partitions.
  void create_partitions(const uuid& topic_id, std::int32_t total, reply<topic_ptr> done);

  // Sets and removes configs of one resource, all or none; unknown_topic_or_partition for a topic
  // that does not exist.
  void alter_configs(config_resource resource, std::vector<config_change> changes,
                     callback<void(status)> done);

  // Sets and removes quotas of the entities, all or none.
  void alter_client_quotas(std::vector<quota_change> changes, callback<void(status)> done);

  // Sets levels of features; 0 takes a feature away.
  void update_features(std::vector<std::pair<std::string, std::int16_t>> levels,
                       callback<void(status)> done);

  // Before the first append to a partition after each start: begins its next leader epoch, this
  // node's, unless the partition was made since then. Answers the epoch. unknown_topic_id,
  // unknown_topic_or_partition, not_leader (the partition has no replica here).
  void raise_leader_epoch(const uuid& topic_id, partition_id_t partition,
                          reply<leader_epoch_t> done);

  // The next 1000 ids; they are never given again.
  void allocate_producer_ids(reply<producer_id_block> done);

  // A snapshot of the published image, as Kafka writes now and then. Blocks for the writing.
  status write_snapshot();
  status write_due_snapshot();  // where the log behind the last one is long

 private:
  struct state;
  explicit controller(std::shared_ptr<state> opened);
  std::shared_ptr<state> state_;
};

}  // namespace ringlog::metadata
