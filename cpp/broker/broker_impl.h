#pragma once

#include <atomic>
#include <memory>

#include "broker/broker.h"
#include "broker/client_quotas.h"
#include "broker/config_service.h"
#include "broker/fetch_path.h"
#include "broker/group/group_coordinator.h"
#include "broker/log_queries.h"
#include "broker/partition_table.h"
#include "broker/produce_path.h"
#include "broker/producer_ids.h"
#include "broker/services.h"
#include "broker/topic_admin.h"

namespace ringlog::broker {

// The facade over the parts of the broker: every call is one of theirs. Also tells them what
// metadata has changed.
class broker_impl final : public broker {
 public:
  static result<std::unique_ptr<broker>> make(broker_services outside, broker_options options);
  ~broker_impl() override;

  bool is_open(const topic_partition& target) override;
  void produce(produce_request request, reply<produce_answer> done) override;
  fetch_token fetch(fetch_request request, reply<fetch_answer> done) override;
  void cancel_fetch(fetch_token token) override;
  void list_offset(list_offset_request request, reply<listed_offset> done) override;
  void offset_for_leader_epoch(epoch_end_request request, reply<epoch_end_offset> done) override;
  void delete_records(topic_partition source, offset_t before, reply<offset_t> done) override;
  void init_producer_id(std::optional<std::string> transactional_id,
                        std::optional<producer_identity> current,
                        reply<producer_identity> done) override;
  void describe_producers(topic_partition source,
                          reply<std::vector<active_producer>> done) override;

  std::optional<topic_description> find_topic(std::string_view name) override;
  std::optional<topic_description> find_topic(const uuid& id) override;
  std::vector<topic_description> list_topics() override;
  std::uint64_t metadata_version() const override;
  void ensure_topic(std::string name, reply<topic_description> done) override;
  void create_topic(new_topic topic, bool validate_only, reply<created_topic> done) override;
  void delete_topic(std::string name, reply<uuid> done) override;
  void create_partitions(std::string topic, std::int32_t count, bool validate_only,
                         reply<std::int32_t> done) override;

  result<std::vector<config_entry>> describe_configs(const config_resource& resource) override;
  void alter_configs(config_resource resource, std::vector<config_alteration> changes,
                     bool validate_only, reply<std::monostate> done) override;
  std::vector<std::string> list_configured(resource_type type) override;

  result<std::vector<client_quota>> describe_client_quotas(
      const client_quota_filter& filter) override;
  void alter_client_quotas(std::vector<client_quota_alteration> wanted, bool validate_only,
                           reply<std::vector<std::optional<error>>> done) override;
  client_quotas& quotas() override { return quotas_; }

  void join_group(join_group_request request, reply<join_group_answer> done) override;
  void sync_group(sync_group_request request, reply<sync_group_answer> done) override;
  void heartbeat(group_member_identity from, reply<std::monostate> done) override;
  void leave_group(std::string group, std::vector<leaving_member> members,
                   reply<std::vector<std::optional<error>>> done) override;
  void commit_offsets(offset_commit_request request, reply<partition_failures> done) override;
  void fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done) override;
  void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                      reply<partition_failures> done) override;
  void list_groups(reply<std::vector<listed_group>> done) override;
  void describe_group(std::string group, reply<described_group> done) override;
  void delete_group(std::string group, reply<std::monostate> done) override;
  void consumer_heartbeat(consumer_heartbeat_request request,
                          reply<consumer_heartbeat_answer> done) override;
  void describe_consumer_group(std::string group, reply<described_consumer_group> done) override;

  cluster_description describe_cluster() override;
  void describe_log_directory(std::optional<std::vector<topic_partition>> asked,
                              reply<log_directory_description> done) override;
  quorum_description describe_quorum() override;
  void update_features(std::vector<feature_update> updates, bool validate_only,
                       reply<std::monostate> done) override;
  log_health describe_health() override;
  void close() override;

 private:
  broker_impl(broker_services outside, broker_options options,
              std::unique_ptr<config_service> configs);

  status set_strays_aside();
  void apply_topic_configs();
  void metadata_changed(const metadata::image& before, const metadata::image& after);

  const broker_services outside_;
  const broker_options options_;
  std::atomic<std::uint64_t> metadata_version_ = 1;

  const std::unique_ptr<config_service> configs_;
  client_quotas quotas_;
  partition_table partitions_;
  log_queries queries_;
  const std::shared_ptr<produce_path> produces_;
  const std::shared_ptr<fetch_path> fetches_;
  const std::shared_ptr<producer_ids> producer_ids_;
  const std::shared_ptr<topic_admin> topics_;
  const std::shared_ptr<group_coordinator> groups_;
};

}  // namespace ringlog::broker
