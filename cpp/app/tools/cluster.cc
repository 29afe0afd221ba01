#include "app/tools/cluster.h"

#include <algorithm>

#include "app/tools/client_properties.h"
#include "app/tools/interruption.h"
#include "client/open_log.h"
#include "client/remote/remote_transport.h"
#include "io/posix_file_system.h"
#include "model/config_def.h"
#include "node/address.h"

namespace ringlog::app {
namespace {

template <typename T, typename Start>
result<T> ask(std::string_view what, Start start) {
  return client::await<T>(cluster::limit(), what, std::move(start));
}

status only_outcome(const result<std::monostate>& answer) {
  return answer.ok() ? status() : status(answer.failure());
}

}  // namespace

client::wait_limit cluster::limit() {
  return client::wait_limit::after(call_wait_max, &until_interrupted());
}

result<cluster> cluster::open(const connection_arguments& where, bool may_make) {
  client::remote::remote_options options;
  options.client_id = "ringlog-tools";
  TRY_ASSIGN(const auto settings, read_client_properties(where.command_config));
  TRY(apply_connection_properties(settings, options));
  const std::string& address = where.bootstrap_server;
  if (!address.starts_with("file:") && !address.starts_with("memory:")) {
    for (const std::string& one : model::split_list(address)) {
      TRY_ASSIGN(auto server, io::host_port::parse(one));
      options.bootstrap_servers.push_back(std::move(server));
    }
    TRY_ASSIGN(auto over, client::remote::connect(std::move(options), limit()));
    return cluster(std::move(over));
  }
  TRY_ASSIGN(const node::log_address parsed, node::parse_address(address));
  if (!parsed.in_memory && !may_make) {
    io::posix_file_system disk;
    TRY(node::find_directory(disk, parsed.name));
  }
  TRY_ASSIGN(auto over, client::open_log(address, {}, std::move(options), limit()));
  return cluster(std::move(over));
}

result<std::vector<broker::topic_description>> cluster::look_up(
    std::optional<std::vector<std::string>> names) {
  return ask<std::vector<broker::topic_description>>("the look-up of topics", [&](auto reply) {
    over_->broker().look_up_topics(std::move(names), std::move(reply));
  });
}

result<std::vector<broker::topic_description>> cluster::topics() {
  TRY_ASSIGN(auto found, look_up(std::nullopt));
  std::ranges::sort(found, {}, &broker::topic_description::name);
  return found;
}

result<broker::topic_description> cluster::topic(const std::string& name) {
  TRY_ASSIGN(auto found, look_up(std::vector{name}));
  if (!found.empty()) return std::move(found.front());
  return make_error(error_code::unknown_topic_or_partition, "Topic '{}' does not exist.", name);
}

result<broker::created_topic> cluster::create_topic(broker::new_topic wanted) {
  return ask<broker::created_topic>("making the topic", [&](auto reply) {
    over_->broker().create_topic(std::move(wanted), false, std::move(reply));
  });
}

status cluster::delete_topic(const std::string& name) {
  const auto deleted = ask<uuid>("deleting the topic", [&](auto reply) {
    over_->broker().delete_topic(name, std::move(reply));
  });
  return deleted.ok() ? status() : status(deleted.failure());
}

status cluster::create_partitions(const std::string& topic, std::int32_t count) {
  const auto made = ask<std::int32_t>("making partitions", [&](auto reply) {
    over_->broker().create_partitions(topic, count, false, std::move(reply));
  });
  return made.ok() ? status() : status(made.failure());
}

result<std::vector<broker::config_entry>> cluster::configs(const broker::config_resource& of) {
  return ask<std::vector<broker::config_entry>>("the look-up of configs", [&](auto reply) {
    over_->broker().look_up_configs(of, std::move(reply));
  });
}

status cluster::alter_configs(const broker::config_resource& of,
                              std::vector<broker::config_alteration> changes) {
  return only_outcome(ask<std::monostate>("altering configs", [&](auto reply) {
    over_->broker().alter_configs(of, std::move(changes), false, std::move(reply));
  }));
}

result<client::described_cluster> cluster::description() {
  return ask<client::described_cluster>("the look-up of the cluster", [&](auto reply) {
    over_->broker().look_up_cluster(std::move(reply));
  });
}

result<std::vector<client::described_log_directory>> cluster::log_directories(node_id_t of) {
  return ask<std::vector<client::described_log_directory>>(
      "the look-up of log directories",
      [&](auto reply) { over_->broker().look_up_log_directories(of, std::move(reply)); });
}

result<std::vector<broker::client_quota>> cluster::quotas(broker::client_quota_filter of) {
  return ask<std::vector<broker::client_quota>>("the look-up of quotas", [&](auto reply) {
    over_->broker().look_up_client_quotas(std::move(of), std::move(reply));
  });
}

status cluster::alter_quota(broker::client_quota_alteration wanted) {
  TRY_ASSIGN(auto outcomes,
             ask<std::vector<std::optional<error>>>("altering a quota", [&](auto reply) {
               over_->broker().alter_client_quotas({std::move(wanted)}, false, std::move(reply));
             }));
  if (outcomes.size() == 1 && !outcomes.front()) return {};
  return outcomes.empty() ? error{error_code::internal, "no answer"} : std::move(*outcomes.front());
}

result<broker::listed_offset> cluster::offset(const topic_partition& of, std::int64_t timestamp) {
  broker::list_offset_request request;
  request.source = of;
  request.timestamp = timestamp;
  return ask<broker::listed_offset>("the look-up of an offset", [&](auto reply) {
    over_->broker().list_offset(std::move(request), std::move(reply));
  });
}

result<offset_t> cluster::delete_records(const topic_partition& of, offset_t before) {
  return ask<offset_t>("deleting records", [&](auto reply) {
    over_->broker().delete_records(of, before, std::move(reply));
  });
}

result<std::vector<broker::listed_group>> cluster::groups() {
  TRY_ASSIGN(auto found,
             ask<std::vector<broker::listed_group>>("the list of groups", [&](auto reply) {
               over_->broker().list_groups(std::move(reply));
             }));
  std::ranges::sort(found, {}, &broker::listed_group::group);
  return found;
}

result<broker::described_group> cluster::group(const std::string& name) {
  return ask<broker::described_group>("the description of a group", [&](auto reply) {
    over_->broker().describe_group(name, std::move(reply));
  });
}

status cluster::delete_group(const std::string& name) {
  return only_outcome(ask<std::monostate>("deleting a group", [&](auto reply) {
    over_->broker().delete_group(name, std::move(reply));
  }));
}

result<broker::fetched_offsets> cluster::committed(const std::string& group) {
  broker::offset_fetch_request request;
  request.group = group;
  TRY_ASSIGN(auto found, ask<broker::fetched_offsets>("the offsets of a group", [&](auto reply) {
               over_->broker().fetch_offsets(std::move(request), std::move(reply));
             }));
  std::ranges::sort(found, {}, [](const auto& each) { return each.first; });
  return found;
}

result<broker::partition_failures> cluster::commit(
    const std::string& group,
    std::vector<std::pair<topic_partition, broker::committed_offset>> offsets) {
  broker::offset_commit_request request;
  request.from.group = group;
  request.offsets = std::move(offsets);
  return ask<broker::partition_failures>("setting offsets", [&](auto reply) {
    over_->broker().commit_offsets(std::move(request), std::move(reply));
  });
}

result<broker::partition_failures> cluster::delete_offsets(
    const std::string& group, std::vector<topic_partition> partitions) {
  return ask<broker::partition_failures>("deleting offsets", [&](auto reply) {
    over_->broker().delete_offsets(group, std::move(partitions), std::move(reply));
  });
}

}  // namespace ringlog::app
