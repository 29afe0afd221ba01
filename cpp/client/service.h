#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/quota_types.h"
#include "broker/types.h"

namespace ringlog::client {

using broker::reply;

struct cluster_node {
  node_id_t id{-1};
  std::string host;
  std::int32_t port = -1;
  std::optional<std::string> rack;
};

struct described_cluster {
  std::string cluster_id;
  node_id_t controller{-1};
  std::vector<cluster_node> nodes;  // by id
};

// A log directory of one node. (Kafka: LogDirDescription, KIP-113, KIP-827.)
struct described_log_directory {
  struct partition {
    topic_partition name;
    std::int64_t bytes = 0;
    std::int64_t offset_lag = 0;
    bool is_future = false;  // a copy that will take the place of the log
  };
  std::string path;
  std::optional<std::string> failure;  // why it cannot be used; it has no partitions then
  std::vector<partition> partitions;
  std::optional<std::int64_t> total_bytes;   // of its volume; none: not told
  std::optional<std::int64_t> usable_bytes;  // likewise
};

// What clients ask, wherever it is answered: by the broker of a log that is open in this process
// (embedded_service.h), or by a cluster at the other end of a network (remote/remote_service.h).
// The calls are those of broker::broker, with its meanings, errors and threads: any thread may
// call, none blocks. What may need a round trip is answered by reply.
class service {
 public:
  virtual ~service() = default;

  // ---- records

  virtual void produce(broker::produce_request request, reply<broker::produce_answer> done) = 0;

  using fetch_token = std::uint64_t;
  virtual fetch_token fetch(broker::fetch_request request, reply<broker::fetch_answer> done) = 0;
  virtual void cancel_fetch(fetch_token token) = 0;

  virtual void list_offset(broker::list_offset_request request,
                           reply<broker::listed_offset> done) = 0;
  virtual void offset_for_leader_epoch(topic_partition source, leader_epoch_t epoch,
                                       reply<broker::epoch_end_offset> done) = 0;
  virtual void delete_records(topic_partition source, offset_t before, reply<offset_t> done) = 0;
  virtual void init_producer_id(std::optional<std::string> transactional_id,
                                std::optional<broker::producer_identity> current,
                                reply<broker::producer_identity> done) = 0;
  virtual void describe_producers(topic_partition source,
                                  reply<std::vector<broker::active_producer>> done) = 0;

  // ---- topics

  // As it is known here: now, of a log of this process; of a cluster elsewhere those that were
  // looked up or ensured, as of the last time its metadata was read.
  virtual std::optional<broker::topic_description> find_topic(std::string_view name) = 0;

  // Grows with every change of what find_topic() says: a client's view is good while it is equal.
  virtual std::uint64_t metadata_version() const = 0;

  // Those of the named topics that exist; without names all. They are known from then on.
  virtual void look_up_topics(std::optional<std::vector<std::string>> names,
                              reply<std::vector<broker::topic_description>> done) = 0;

  virtual void ensure_topic(std::string name, reply<broker::topic_description> done) = 0;
  virtual void create_topic(broker::new_topic topic, bool validate_only,
                            reply<broker::created_topic> done) = 0;
  virtual void delete_topic(std::string name, reply<uuid> done) = 0;
  virtual void create_partitions(std::string topic, std::int32_t count, bool validate_only,
                                 reply<std::int32_t> done) = 0;

  // ---- configs

  virtual void look_up_configs(broker::config_resource resource,
                               reply<std::vector<broker::config_entry>> done) = 0;
  virtual void alter_configs(broker::config_resource resource,
                             std::vector<broker::config_alteration> changes, bool validate_only,
                             reply<std::monostate> done) = 0;

  // ---- client quotas

  virtual void look_up_client_quotas(broker::client_quota_filter filter,
                                     reply<std::vector<broker::client_quota>> done) = 0;
  virtual void alter_client_quotas(std::vector<broker::client_quota_alteration> wanted,
                                   bool validate_only,
                                   reply<std::vector<std::optional<error>>> done) = 0;

  // ---- groups, classic protocol

  virtual void join_group(broker::join_group_request request,
                          reply<broker::join_group_answer> done) = 0;
  virtual void sync_group(broker::sync_group_request request,
                          reply<broker::sync_group_answer> done) = 0;
  virtual void heartbeat(broker::group_member_identity from, reply<std::monostate> done) = 0;
  virtual void leave_group(std::string group, std::vector<broker::leaving_member> members,
                           reply<std::vector<std::optional<error>>> done) = 0;
  virtual void commit_offsets(broker::offset_commit_request request,
                              reply<broker::partition_failures> done) = 0;
  virtual void fetch_offsets(broker::offset_fetch_request request,
                             reply<broker::fetched_offsets> done) = 0;
  virtual void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                              reply<broker::partition_failures> done) = 0;
  virtual void list_groups(reply<std::vector<broker::listed_group>> done) = 0;
  virtual void describe_group(std::string group, reply<broker::described_group> done) = 0;
  virtual void delete_group(std::string group, reply<std::monostate> done) = 0;

  // ---- groups, consumer protocol

  virtual void consumer_heartbeat(broker::consumer_heartbeat_request request,
                                  reply<broker::consumer_heartbeat_answer> done) = 0;

  // ---- the cluster

  virtual void look_up_cluster(reply<described_cluster> done) = 0;

  // Those of one node. invalid_argument when there is no such node.
  virtual void look_up_log_directories(node_id_t node,
                                       reply<std::vector<described_log_directory>> done) = 0;
};

}  // namespace ringlog::client
