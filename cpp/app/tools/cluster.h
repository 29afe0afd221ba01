#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broker/types.h"
#include "client/transport.h"
#include "client/wait.h"

namespace ringlog::app {

struct connection_arguments {
  // HOST:PORT, or several with commas; file:DIRECTORY; memory:.
  std::string bootstrap_server = "localhost:9092";
  std::string command_config;  // a file of client properties; empty: none
};

// What the tools ask of a log or a cluster, each call waited for, at most for call_wait_max. One
// thread. Failures are those of broker::broker.
class cluster {
 public:
  static constexpr milliseconds call_wait_max{60'000};

  // A directory has to be there unless it may be made.
  static result<cluster> open(const connection_arguments& where, bool may_make);

  client::transport& over() { return *over_; }
  const std::shared_ptr<client::transport>& shared_transport() const { return over_; }
  static client::wait_limit limit();

  // By name.
  result<std::vector<broker::topic_description>> topics();
  result<broker::topic_description> topic(const std::string& name);
  result<broker::created_topic> create_topic(broker::new_topic wanted);
  status delete_topic(const std::string& name);
  status create_partitions(const std::string& topic, std::int32_t count);

  result<std::vector<broker::config_entry>> configs(const broker::config_resource& of);
  status alter_configs(const broker::config_resource& of,
                       std::vector<broker::config_alteration> changes);
  result<client::described_cluster> description();
  result<std::vector<client::described_log_directory>> log_directories(node_id_t of);

  result<std::vector<broker::client_quota>> quotas(broker::client_quota_filter of);
  status alter_quota(broker::client_quota_alteration wanted);

  result<broker::listed_offset> offset(const topic_partition& of, std::int64_t timestamp);
  result<offset_t> delete_records(const topic_partition& of, offset_t before);

  result<std::vector<broker::listed_group>> groups();
  result<broker::described_group> group(const std::string& name);
  status delete_group(const std::string& name);
  result<broker::fetched_offsets> committed(const std::string& group);
  result<broker::partition_failures> commit(
      const std::string& group,
      std::vector<std::pair<topic_partition, broker::committed_offset>> offsets);
  result<broker::partition_failures> delete_offsets(const std::string& group,
                                                    std::vector<topic_partition> partitions);

 private:
  explicit cluster(std::shared_ptr<client::transport> over) : over_(std::move(over)) {}

  result<std::vector<broker::topic_description>> look_up(
      std::optional<std::vector<std::string>> names);

  std::shared_ptr<client::transport> over_;
};

}  // namespace ringlog::app
