#pragma once

#include <utility>

#include "broker/broker.h"
#include "client/service.h"

namespace ringlog::client {

// Hands every call on to the broker of this process, which outlives it.
class embedded_service final : public service {
 public:
  explicit embedded_service(broker::broker& core) : core_(core) {}

  void produce(broker::produce_request request, reply<broker::produce_answer> done) override {
    core_.produce(std::move(request), std::move(done));
  }
  fetch_token fetch(broker::fetch_request request, reply<broker::fetch_answer> done) override {
    return core_.fetch(std::move(request), std::move(done));
  }
  void cancel_fetch(fetch_token token) override { core_.cancel_fetch(token); }
  void list_offset(broker::list_offset_request request,
                   reply<broker::listed_offset> done) override {
    core_.list_offset(std::move(request), std::move(done));
  }
  void offset_for_leader_epoch(topic_partition source, leader_epoch_t epoch,
                               reply<broker::epoch_end_offset> done) override {
    core_.offset_for_leader_epoch({.source = std::move(source), .epoch = epoch}, std::move(done));
  }
  void delete_records(topic_partition source, offset_t before, reply<offset_t> done) override {
    core_.delete_records(std::move(source), before, std::move(done));
  }
  void init_producer_id(std::optional<std::string> transactional_id,
                        std::optional<broker::producer_identity> current,
                        reply<broker::producer_identity> done) override {
    core_.init_producer_id(std::move(transactional_id), current, std::move(done));
  }
  void describe_producers(topic_partition source,
                          reply<std::vector<broker::active_producer>> done) override {
    core_.describe_producers(std::move(source), std::move(done));
  }

  std::optional<broker::topic_description> find_topic(std::string_view name) override {
    return core_.find_topic(name);
  }
  std::uint64_t metadata_version() const override { return core_.metadata_version(); }
  void look_up_topics(std::optional<std::vector<std::string>> names,
                      reply<std::vector<broker::topic_description>> done) override {
    if (!names) return done(core_.list_topics());
    std::vector<broker::topic_description> found;
    for (const std::string& name : *names) {
      if (auto topic = core_.find_topic(name)) found.push_back(std::move(*topic));
    }
    done(std::move(found));
  }
  void ensure_topic(std::string name, reply<broker::topic_description> done) override {
    core_.ensure_topic(std::move(name), std::move(done));
  }
  void create_topic(broker::new_topic topic, bool validate_only,
                    reply<broker::created_topic> done) override {
    core_.create_topic(std::move(topic), validate_only, std::move(done));
  }
  void delete_topic(std::string name, reply<uuid> done) override {
    core_.delete_topic(std::move(name), std::move(done));
  }
  void create_partitions(std::string topic, std::int32_t count, bool validate_only,
                         reply<std::int32_t> done) override {
    core_.create_partitions(std::move(topic), count, validate_only, std::move(done));
  }

  void look_up_configs(broker::config_resource resource,
                       reply<std::vector<broker::config_entry>> done) override {
    done(core_.describe_configs(resource));
  }
  void alter_configs(broker::config_resource resource,
                     std::vector<broker::config_alteration> changes, bool validate_only,
                     reply<std::monostate> done) override {
    core_.alter_configs(std::move(resource), std::move(changes), validate_only, std::move(done));
  }

  void look_up_client_quotas(broker::client_quota_filter filter,
                             reply<std::vector<broker::client_quota>> done) override {
    done(core_.describe_client_quotas(filter));
  }
  void alter_client_quotas(std::vector<broker::client_quota_alteration> wanted, bool validate_only,
                           reply<std::vector<std::optional<error>>> done) override {
    core_.alter_client_quotas(std::move(wanted), validate_only, std::move(done));
  }

  void join_group(broker::join_group_request request,
                  reply<broker::join_group_answer> done) override {
    core_.join_group(std::move(request), std::move(done));
  }
  void sync_group(broker::sync_group_request request,
                  reply<broker::sync_group_answer> done) override {
    core_.sync_group(std::move(request), std::move(done));
  }
  void heartbeat(broker::group_member_identity from, reply<std::monostate> done) override {
    core_.heartbeat(std::move(from), std::move(done));
  }
  void leave_group(std::string group, std::vector<broker::leaving_member> members,
                   reply<std::vector<std::optional<error>>> done) override {
    core_.leave_group(std::move(group), std::move(members), std::move(done));
  }
  void commit_offsets(broker::offset_commit_request request,
                      reply<broker::partition_failures> done) override {
    core_.commit_offsets(std::move(request), std::move(done));
  }
  void fetch_offsets(broker::offset_fetch_request request,
                     reply<broker::fetched_offsets> done) override {
    core_.fetch_offsets(std::move(request), std::move(done));
  }
  void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                      reply<broker::partition_failures> done) override {
    core_.delete_offsets(std::move(group), std::move(partitions), std::move(done));
  }
  void list_groups(reply<std::vector<broker::listed_group>> done) override {
    core_.list_groups(std::move(done));
  }
  void describe_group(std::string group, reply<broker::described_group> done) override {
    core_.describe_group(std::move(group), std::move(done));
  }
  void delete_group(std::string group, reply<std::monostate> done) override {
    core_.delete_group(std::move(group), std::move(done));
  }

  void consumer_heartbeat(broker::consumer_heartbeat_request request,
                          reply<broker::consumer_heartbeat_answer> done) override {
    core_.consumer_heartbeat(std::move(request), std::move(done));
  }

  void look_up_cluster(reply<described_cluster> done) override {
    const broker::cluster_description known = core_.describe_cluster();
    done(described_cluster{
        known.cluster_id, known.controller, {{known.node, known.host, known.port, std::nullopt}}});
  }
  void look_up_log_directories(node_id_t node,
                               reply<std::vector<described_log_directory>> done) override {
    if (node != core_.describe_cluster().node) {
      return done(make_error(error_code::invalid_argument, "there is no broker {}", node));
    }
    core_.describe_log_directory(
        std::nullopt,
        [done = std::move(done)](result<broker::log_directory_description> answer) mutable {
          if (!answer.ok()) return done(std::move(answer.failure()));
          described_log_directory found;
          found.path = answer->path;
          for (auto& each : answer->partitions) {
            found.partitions.push_back({.name = std::move(each.name), .bytes = each.bytes});
          }
          found.total_bytes = answer->total_bytes;
          found.usable_bytes = answer->usable_bytes;
          done(std::vector{std::move(found)});
        });
  }

 private:
  broker::broker& core_;
};

}  // namespace ringlog::client
