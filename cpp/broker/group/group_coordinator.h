#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/group/group_settings.h"
#include "broker/group/group_shard.h"
#include "broker/partition_table.h"
#include "broker/services.h"
#include "broker/topic_admin.h"
#include "broker/types.h"

namespace ringlog::broker {

group_settings to_group_settings(const model::config_values& broker);

// The group coordinator of this node (Kafka: GroupCoordinatorService): finds the shard that keeps a
// group, makes __consumer_offsets at the first use that writes, and loads shards when first asked
// for. Any thread.
class group_coordinator : public std::enable_shared_from_this<group_coordinator>,
                          private metadata_lookup {
 public:
  group_coordinator(broker_services outside, const model::config_values& broker,
                    topic_admin& topics, partition_table& partitions);

  void consumer_heartbeat(consumer_heartbeat_request request,
                          reply<consumer_heartbeat_answer> done);
  void join_group(join_group_request request, reply<join_group_answer> done);
  void sync_group(sync_group_request request, reply<sync_group_answer> done);
  void heartbeat(group_member_identity from, reply<std::monostate> done);
  void leave_group(std::string group, std::vector<leaving_member> members,
                   reply<std::vector<std::optional<error>>> done);

  void commit_offsets(offset_commit_request request, reply<partition_failures> done);
  void fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done);
  void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                      reply<partition_failures> done);

  void list_groups(reply<std::vector<listed_group>> done);
  void describe_group(std::string group, reply<described_group> done);
  void describe_consumer_group(std::string group, reply<described_consumer_group> done);
  void delete_group(std::string group, reply<std::monostate> done);

  // Its committed offsets go. With __consumer_offsets itself go all groups.
  void topic_deleted(const std::string& name);

  // Answers everything that is parked with `why`, as everything that comes later.
  void close(const error& why);

 private:
  using shard_ptr = std::shared_ptr<group_shard>;

  // metadata_lookup
  std::optional<uuid> find_id(const topic_partition& tp) const override;
  std::optional<std::string> find_name(const uuid& id) const override;
  std::optional<topic_shape> find_shape(const std::string& topic) const override;
  std::vector<std::string> topic_names() const override;
  std::uint64_t version() const override;
  std::optional<std::int64_t> find_group_config(const std::string& group,
                                                const std::string& name) const override;

  std::int32_t partition_count() const;
  result<shard_ptr> shard_at(partition_id_t partition);
  static result<std::shared_ptr<partition>> open(group_coordinator* self, partition_id_t partition);
  std::vector<partition_id_t> partitions_with_groups();
  void list_loaded(std::vector<partition_id_t> left, std::vector<listed_group> so_far,
                   reply<std::vector<listed_group>> done);

  // Calls action(shard, done) with the loaded shard of the group, or answers why there is none. No
  // group is known before __consumer_offsets is there: then `missing` is the answer; without one
  // the topic is made.
  template <typename T, typename Action>
  void with_shard(const std::string& group, std::optional<error> missing, reply<T> done,
                  Action action);

  const broker_services outside_;
  const group_settings settings_;
  topic_admin& topics_;
  partition_table& partitions_;
  std::mutex mutex_;
  std::optional<error> closed_;
  std::map<partition_id_t, shard_ptr> shards_;
};

}  // namespace ringlog::broker
