#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/remote/cluster.h"
#include "client/remote/fetcher.h"
#include "client/remote/produce_sender.h"
#include "client/remote/remote_call.h"
#include "client/service.h"

namespace ringlog::client::remote {

// A cluster at the other end of a network, asked by Kafka's protocol. Calls are tried again while
// the failure may pass, for default_api_timeout_ms at most, except those whose caller does that
// itself: produce, fetch, and the group calls of a member. Replies come on the network's thread.
//
// One client's: fetches of two consumers would disturb each other (see fetcher).
class remote_service final : public service {
 public:
  remote_service(std::shared_ptr<network_thread> thread, remote_options options);
  ~remote_service() override;

  // Reads the cluster's metadata for the first time.
  void bootstrap(reply<std::monostate> done);
  std::string trouble() const { return cluster_->trouble(); }

  void produce(broker::produce_request request, reply<broker::produce_answer> done) override;
  fetch_token fetch(broker::fetch_request request, reply<broker::fetch_answer> done) override;
  void cancel_fetch(fetch_token token) override;
  void list_offset(broker::list_offset_request request, reply<broker::listed_offset> done) override;
  void offset_for_leader_epoch(topic_partition source, leader_epoch_t epoch,
                               reply<broker::epoch_end_offset> done) override;
  void delete_records(topic_partition source, offset_t before, reply<offset_t> done) override;
  void init_producer_id(std::optional<std::string> transactional_id,
                        std::optional<broker::producer_identity> current,
                        reply<broker::producer_identity> done) override;
  void describe_producers(topic_partition source,
                          reply<std::vector<broker::active_producer>> done) override;

  std::optional<broker::topic_description> find_topic(std::string_view name) override;
  std::uint64_t metadata_version() const override;
  void look_up_topics(std::optional<std::vector<std::string>> names,
                      reply<std::vector<broker::topic_description>> done) override;
  void ensure_topic(std::string name, reply<broker::topic_description> done) override;
  void create_topic(broker::new_topic topic, bool validate_only,
                    reply<broker::created_topic> done) override;
  void delete_topic(std::string name, reply<uuid> done) override;
  void create_partitions(std::string topic, std::int32_t count, bool validate_only,
                         reply<std::int32_t> done) override;

  void look_up_configs(broker::config_resource resource,
                       reply<std::vector<broker::config_entry>> done) override;
  void alter_configs(broker::config_resource resource,
                     std::vector<broker::config_alteration> changes, bool validate_only,
                     reply<std::monostate> done) override;

  void look_up_client_quotas(broker::client_quota_filter filter,
                             reply<std::vector<broker::client_quota>> done) override;
  void alter_client_quotas(std::vector<broker::client_quota_alteration> wanted, bool validate_only,
                           reply<std::vector<std::optional<error>>> done) override;

  void join_group(broker::join_group_request request,
                  reply<broker::join_group_answer> done) override;
  void sync_group(broker::sync_group_request request,
                  reply<broker::sync_group_answer> done) override;
  void heartbeat(broker::group_member_identity from, reply<std::monostate> done) override;
  void leave_group(std::string group, std::vector<broker::leaving_member> members,
                   reply<std::vector<std::optional<error>>> done) override;
  void commit_offsets(broker::offset_commit_request request,
                      reply<broker::partition_failures> done) override;
  void fetch_offsets(broker::offset_fetch_request request,
                     reply<broker::fetched_offsets> done) override;
  void delete_offsets(std::string group, std::vector<topic_partition> partitions,
                      reply<broker::partition_failures> done) override;
  void list_groups(reply<std::vector<broker::listed_group>> done) override;
  void describe_group(std::string group, reply<broker::described_group> done) override;
  void delete_group(std::string group, reply<std::monostate> done) override;

  void consumer_heartbeat(broker::consumer_heartbeat_request request,
                          reply<broker::consumer_heartbeat_answer> done) override;

  void look_up_cluster(reply<described_cluster> done) override;
  void look_up_log_directories(node_id_t node,
                               reply<std::vector<described_log_directory>> done) override;

 private:
  using topics_reply = reply<std::vector<broker::topic_description>>;

  // Runs `work(done)` on the network's thread, or answers why it cannot.
  template <typename T, typename Work>
  void post(reply<T> done, Work work) {
    if (status usable = thread_->check_usable(); !usable.ok()) {
      return done(std::move(usable.failure()));
    }
    thread_->loop().post(
        [work = std::move(work), done = std::move(done)]() mutable { work(std::move(done)); });
  }

  template <typename Request, typename Response, typename T>
  void call(call_plan<Request, Response, T> plan, reply<T> done) {
    post(std::move(done), [to = cluster_, plan = std::move(plan)](reply<T> reply) mutable {
      call_remote(to, std::move(plan), std::move(reply));
    });
  }

  const std::shared_ptr<network_thread> thread_;
  const std::shared_ptr<cluster> cluster_;
  const std::shared_ptr<produce_sender> sender_;
  const std::shared_ptr<fetcher> fetcher_;
  std::atomic<fetch_token> last_token_{0};
};

}  // namespace ringlog::client::remote
