#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.h"

namespace ringlog::server {

class presented_nodes;

// What one of the presented nodes answers: what the core does, with leaders, replicas and
// coordinators as presented_nodes deals them out, and refusals (not_leader, not_coordinator) of
// what is another's. Any thread; owned by the presented_nodes.
class presented_broker final : public broker::broker {
 public:
  presented_broker(ringlog::broker::broker& core, presented_nodes& nodes, node_id_t mine)
      : core_(core), nodes_(nodes), mine_(mine) {}

  template <typename T>
  using reply = ringlog::broker::reply<T>;

  // ---- of partitions that this node leads

  bool is_open(const topic_partition& target) override { return core_.is_open(target); }
  void produce(ringlog::broker::produce_request request,
               reply<ringlog::broker::produce_answer> done) override;
  fetch_token fetch(ringlog::broker::fetch_request request,
                    reply<ringlog::broker::fetch_answer> done) override;
  void cancel_fetch(fetch_token token) override { core_.cancel_fetch(token); }
  void list_offset(ringlog::broker::list_offset_request request,
                   reply<ringlog::broker::listed_offset> done) override;
  void offset_for_leader_epoch(ringlog::broker::epoch_end_request request,
                               reply<ringlog::broker::epoch_end_offset> done) override;
  void delete_records(topic_partition source, offset_t before, reply<offset_t> done) override;
  void describe_producers(topic_partition source,
                          reply<std::vector<ringlog::broker::active_producer>> done) override;

  // ---- topics, with leaders and replicas

  std::optional<ringlog::broker::topic_description> find_topic(std::string_view name) override;
  std::optional<ringlog::broker::topic_description> find_topic(const uuid& id) override;
  std::vector<ringlog::broker::topic_description> list_topics() override;
  std::uint64_t metadata_version() const override { return core_.metadata_version(); }
  void ensure_topic(std::string name, reply<ringlog::broker::topic_description> done) override;
  void create_topic(ringlog::broker::new_topic topic, bool validate_only,
                    reply<ringlog::broker::created_topic> done) override;
  void delete_topic(std::string name, reply<uuid> done) override;
  void create_partitions(std::string topic, std::int32_t count, bool validate_only,
                         reply<std::int32_t> done) override {
    core_.create_partitions(std::move(topic), count, validate_only, std::move(done));
  }

  // ---- configs: a broker's by its presented id

  result<std::vector<ringlog::broker::config_entry>> describe_configs(
      const ringlog::broker::config_resource& resource) override;
  void alter_configs(ringlog::broker::config_resource resource,
                     std::vector<ringlog::broker::config_alteration> changes, bool validate_only,
                     reply<std::monostate> done) override;

  // ---- of groups that this node coordinates

  void join_group(ringlog::broker::join_group_request request,
                  reply<ringlog::broker::join_group_answer> done) override;
  void sync_group(ringlog::broker::sync_group_request request,
                  reply<ringlog::broker::sync_group_answer> done) override;
  void heartbeat(ringlog::broker::group_member_identity from, reply<std::monostate> done) override;
  void leave_group(std::string group, std::vector<ringlog::broker::leaving_member> members,
                   reply<std::vector<std::optional<error>>> done) override;
  void commit_offsets(ringlog::broker::offset_commit_request request,
                      reply<ringlog::broker::partition_failures> done) override;
  void fetch_offsets(ringlog::broker::offset_fetch_request request,
                     reply<ringlog::broker::fetched_offsets> done) override;
  void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                      reply<ringlog::broker::partition_failures> done) override;
  void list_groups(reply<std::vector<ringlog::broker::listed_group>> done) override;
  void describe_group(std::string group, reply<ringlog::broker::described_group> done) override;
  void delete_group(std::string group, reply<std::monostate> done) override;
  void consumer_heartbeat(ringlog::broker::consumer_heartbeat_request request,
                          reply<ringlog::broker::consumer_heartbeat_answer> done) override;
  void describe_consumer_group(std::string group,
                               reply<ringlog::broker::described_consumer_group> done) override;

  // ---- the node

  ringlog::broker::cluster_description describe_cluster() override;
  void describe_log_directory(std::optional<std::vector<topic_partition>> asked,
                              reply<ringlog::broker::log_directory_description> done) override;

  // ---- as the core says it

  void init_producer_id(std::optional<std::string> transactional_id,
                        std::optional<ringlog::broker::producer_identity> current,
                        reply<ringlog::broker::producer_identity> done) override {
    core_.init_producer_id(std::move(transactional_id), current, std::move(done));
  }
  std::vector<std::string> list_configured(ringlog::broker::resource_type type) override {
    return core_.list_configured(type);
  }
  result<std::vector<ringlog::broker::client_quota>> describe_client_quotas(
      const ringlog::broker::client_quota_filter& filter) override {
    return core_.describe_client_quotas(filter);
  }
  void alter_client_quotas(std::vector<ringlog::broker::client_quota_alteration> wanted,
                           bool validate_only,
                           reply<std::vector<std::optional<error>>> done) override {
    core_.alter_client_quotas(std::move(wanted), validate_only, std::move(done));
  }
  ringlog::broker::client_quotas& quotas() override { return core_.quotas(); }
  ringlog::broker::quorum_description describe_quorum() override { return core_.describe_quorum(); }
  void update_features(std::vector<ringlog::broker::feature_update> updates, bool validate_only,
                       reply<std::monostate> done) override {
    core_.update_features(std::move(updates), validate_only, std::move(done));
  }
  ringlog::broker::log_health describe_health() override { return core_.describe_health(); }
  void close() override {}  // the core's owner does it

 private:
  // Nothing: it is this node's, or does not exist.
  std::optional<error> refuse(const topic_partition& of) const;
  std::optional<error> refuse(std::string_view group) const;
  void arrange(ringlog::broker::topic_description& topic) const;
  status check_factor(std::int16_t factor) const;
  status check_named(const std::vector<std::vector<node_id_t>>& assignment) const;
  result<ringlog::broker::config_resource> to_core(ringlog::broker::config_resource resource) const;

  ringlog::broker::broker& core_;
  presented_nodes& nodes_;
  const node_id_t mine_;
};

}  // namespace ringlog::server
