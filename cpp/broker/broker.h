#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/quota_types.h"
#include "broker/types.h"

namespace ringlog::broker {

class client_quotas;  // broker/client_quotas.h

// The broker's facade: what a handler of the wire protocol and the embedded client may ask. One
// per open directory, owned by its node. Every call may be made from any thread and none blocks:
// what cannot be answered now is parked inside and answered later (see `reply`). Failures carry
// base error codes; semantics are those of Apache Kafka 4.3's request of the same name with one
// node and one replica.
class broker {
 public:
  virtual ~broker() = default;

  // ---- records

  // False when requests for the partition would have to open it first, which reads files. True of
  // one that does not exist.
  virtual bool is_open(const topic_partition& target) = 0;

  // acks none: answered when appended in memory. Otherwise answered when the batches are as
  // durable as the topic demands and the high watermark has passed them. A topic that does not
  // exist is made when `auto.create.topics.enable` says so and the call came through
  // ensure_topic; produce itself answers unknown_topic_or_partition.
  virtual void produce(produce_request request, reply<produce_answer> done) = 0;

  // Answered when bytes_min are there or wait_ms_max is over; failures stand per partition and
  // are answered at once. `token` lets cancel_fetch end the wait early.
  using fetch_token = std::uint64_t;
  virtual fetch_token fetch(fetch_request request, reply<fetch_answer> done) = 0;

  // Answers the parked fetch now with what is there. Nothing happens when it was answered.
  virtual void cancel_fetch(fetch_token token) = 0;

  virtual void list_offset(list_offset_request request, reply<listed_offset> done) = 0;

  virtual void offset_for_leader_epoch(epoch_end_request request, reply<epoch_end_offset> done) = 0;

  // Moves the log start offset up to `before` (-1: the high watermark); answers the new one.
  virtual void delete_records(topic_partition source, offset_t before, reply<offset_t> done) = 0;

  // A new producer id, or for a known identity the next epoch (KIP-360). Transactional ids are
  // refused with transactional_id_authorization.
  virtual void init_producer_id(std::optional<std::string> transactional_id,
                                std::optional<producer_identity> current,
                                reply<producer_identity> done) = 0;

  virtual void describe_producers(topic_partition source,
                                  reply<std::vector<active_producer>> done) = 0;

  // ---- topics

  // The topic as it is now; none when there is no such topic.
  virtual std::optional<topic_description> find_topic(std::string_view name) = 0;
  virtual std::optional<topic_description> find_topic(const uuid& id) = 0;
  virtual std::vector<topic_description> list_topics() = 0;

  // Grows with every published metadata change: a client's cached view is good while it is equal.
  virtual std::uint64_t metadata_version() const = 0;

  // The topic, made with the broker's defaults when it is missing and may be made automatically.
  virtual void ensure_topic(std::string name, reply<topic_description> done) = 0;

  virtual void create_topic(new_topic topic, bool validate_only, reply<created_topic> done) = 0;
  virtual void delete_topic(std::string name, reply<uuid> done) = 0;

  // `count` is the new total.
  virtual void create_partitions(std::string topic, std::int32_t count, bool validate_only,
                                 reply<std::int32_t> done) = 0;

  // ---- configs

  virtual result<std::vector<config_entry>> describe_configs(const config_resource& resource) = 0;

  virtual void alter_configs(config_resource resource, std::vector<config_alteration> changes,
                             bool validate_only, reply<std::monostate> done) = 0;

  // Names of the resources of that type that have configs of their own.
  virtual std::vector<std::string> list_configured(resource_type type) = 0;

  // ---- client quotas

  virtual result<std::vector<client_quota>> describe_client_quotas(
      const client_quota_filter& filter) = 0;

  // Answers per entity in the order given; those that can be altered are.
  virtual void alter_client_quotas(std::vector<client_quota_alteration> wanted, bool validate_only,
                                   reply<std::vector<std::optional<error>>> done) = 0;

  // What clients use is counted here by whoever serves them.
  virtual client_quotas& quotas() = 0;

  // ---- groups, classic protocol

  virtual void join_group(join_group_request request, reply<join_group_answer> done) = 0;
  virtual void sync_group(sync_group_request request, reply<sync_group_answer> done) = 0;
  virtual void heartbeat(group_member_identity from, reply<std::monostate> done) = 0;

  // Answers per member in the order given.
  virtual void leave_group(std::string group, std::vector<leaving_member> members,
                           reply<std::vector<std::optional<error>>> done) = 0;

  virtual void commit_offsets(offset_commit_request request, reply<partition_failures> done) = 0;
  virtual void fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done) = 0;
  virtual void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                              reply<partition_failures> done) = 0;

  virtual void list_groups(reply<std::vector<listed_group>> done) = 0;
  // Of any protocol; of a consumer group in the terms of the classic one.
  virtual void describe_group(std::string group, reply<described_group> done) = 0;
  virtual void delete_group(std::string group, reply<std::monostate> done) = 0;

  // ---- groups, consumer protocol (KIP-848)

  // A member joins, lives and leaves by this alone. Members of the classic protocol in a consumer
  // group go on by the calls above.
  virtual void consumer_heartbeat(consumer_heartbeat_request request,
                                  reply<consumer_heartbeat_answer> done) = 0;
  virtual void describe_consumer_group(std::string group, reply<described_consumer_group> done) = 0;

  // ---- the node

  virtual cluster_description describe_cluster() = 0;

  // The one log directory, with those of the partitions asked for that exist; none: all there are.
  virtual void describe_log_directory(std::optional<std::vector<topic_partition>> asked,
                                      reply<log_directory_description> done) = 0;

  virtual quorum_description describe_quorum() = 0;

  // All or none. error_code::invalid_update_version with Kafka's sentence.
  virtual void update_features(std::vector<feature_update> updates, bool validate_only,
                               reply<std::monostate> done) = 0;

  virtual log_health describe_health() = 0;

  // For the owner, before the logs close: answers everything that is parked (a fetch with what is
  // there, all else with error_code::closed) and refuses with that code what comes later.
  virtual void close() = 0;
};

}  // namespace ringlog::broker
