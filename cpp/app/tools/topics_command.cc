#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include "app/commands.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct topics_arguments : tool_arguments {
  bool create = false;
  bool list = false;
  bool describe = false;
  bool alter = false;
  bool remove = false;
  std::string topic;
  std::int32_t partitions = -1;
  std::int16_t replication_factor = -1;
  std::vector<std::string> configs;
  bool if_exists = false;
  bool if_not_exists = false;
  bool exclude_internal = false;
  bool only_overridden = false;
};

void declare(CLI::App& command, topics_arguments& given) {
  auto* actions = command.add_option_group("actions");
  actions->add_flag("--create", given.create, "Make a topic");
  actions->add_flag("--list", given.list, "Names of topics");
  actions->add_flag("--describe", given.describe, "Topics with their partitions and configs");
  actions->add_flag("--alter", given.alter, "Add partitions, up to --partitions");
  actions->add_flag("--delete", given.remove, "Delete topics");
  actions->require_option(1);
  command.add_option("--topic", given.topic, "A name; but for --create also a pattern of names");
  command.add_option("--partitions", given.partitions, "Default: num.partitions of the broker");
  command.add_option("--replication-factor", given.replication_factor, "Default: the broker's");
  command.add_option("--config", given.configs, "NAME=VALUE of the new topic, several if wanted");
  command.add_flag("--if-exists", given.if_exists, "No failure where no topic has that name");
  command.add_flag("--if-not-exists", given.if_not_exists, "No failure where it is there");
  command.add_flag("--exclude-internal", given.exclude_internal, "Without topics of the broker");
  command.add_flag("--topics-with-overrides", given.only_overridden,
                   "Only topics that have configs of their own, without their partitions");
}

status create(const topics_arguments& given, cluster& target, const tool_context& to) {
  broker::new_topic wanted;
  wanted.name = given.topic;
  wanted.partitions = given.partitions;
  wanted.replication_factor = given.replication_factor;
  for (const std::string& each : given.configs) {
    TRY_ASSIGN(auto setting, parse_setting(each));
    wanted.configs.insert_or_assign(std::move(setting.first), std::move(setting.second));
  }
  const auto made = target.create_topic(std::move(wanted));
  if (!made.ok()) {
    if (made.code() == error_code::topic_already_exists && given.if_not_exists) return {};
    return made.failure();
  }
  for (const std::string& warning : made->warnings) fmt::print(to.err, "{}\n", warning);
  if (given.as_json) {
    to.print({{"topic", made->name},
              {"topic_id", made->id.to_string()},
              {"partitions", made->partitions},
              {"replication_factor", made->replication_factor}});
  } else {
    fmt::print(to.out, "Created topic {}.\n", made->name);
  }
  return {};
}

// Those that are meant; a failure when one was named that is not there.
result<std::vector<broker::topic_description>> chosen(const topics_arguments& given,
                                                      cluster& target) {
  TRY_ASSIGN(auto all, target.topics());
  std::erase_if(all, [&](const auto& topic) { return given.exclude_internal && topic.internal; });
  if (given.topic.empty()) return all;
  TRY_ASSIGN(const name_pattern wanted, name_pattern::make(given.topic));
  std::erase_if(all, [&](const auto& topic) { return !wanted.matches(topic.name); });
  if (all.empty() && !given.if_exists && !given.list) {
    return make_error(error_code::unknown_topic_or_partition, "Topic '{}' does not exist",
                      given.topic);
  }
  return all;
}

using own_configs_of_topic = std::vector<std::pair<std::string, std::string>>;

result<own_configs_of_topic> configs_of(cluster& target, const std::string& topic) {
  TRY_ASSIGN(const auto entries,
             target.configs({.type = broker::resource_type::topic, .name = topic}));
  own_configs_of_topic found;
  for (const auto& entry : entries) {
    if (entry.source == broker::config_source::default_config) continue;
    found.emplace_back(entry.name, entry.value.value_or(""));
  }
  return found;
}

template <typename Ids>
std::vector<std::int32_t> numbers(const Ids& ids) {
  std::vector<std::int32_t> found;
  for (const auto id : ids) found.push_back(id.value());
  return found;
}

json to_json(const broker::topic_description& topic, const own_configs_of_topic& configs) {
  json shown = {{"topic", topic.name}, {"topic_id", topic.id.to_string()}};
  shown["internal"] = topic.internal;
  shown["configs"] = json::object();
  for (const auto& [name, value] : configs) shown["configs"][name] = value;
  shown["partitions"] = json::array();
  for (const auto& partition : topic.partitions) {
    shown["partitions"].push_back({{"partition", partition.partition.value()},
                                   {"leader", partition.leader.value()},
                                   {"replicas", numbers(partition.replicas)},
                                   {"isr", numbers(partition.in_sync_replicas)}});
  }
  return shown;
}

// As kafka-topics prints it.
void print(const broker::topic_description& topic, const own_configs_of_topic& configs,
           bool with_partitions, std::ostream& out) {
  std::string settings;
  for (const auto& [name, value] : configs) {
    settings += fmt::format("{}{}={}", settings.empty() ? "" : ",", name, value);
  }
  const auto copies = topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
  fmt::print(out,
             "Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n",
             topic.name, topic.id, topic.partitions.size(), copies, settings);
  if (!with_partitions) return;
  for (const auto& partition : topic.partitions) {
    fmt::print(
        out,
        "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: \tLastKnownElr: \n",
        topic.name, partition.partition, partition.leader,
        fmt::join(numbers(partition.replicas), ","),
        fmt::join(numbers(partition.in_sync_replicas), ","));
  }
}

status describe(const topics_arguments& given, cluster& target, const tool_context& to) {
  TRY_ASSIGN(const auto topics, chosen(given, target));
  json all = json::array();
  for (const auto& topic : topics) {
    TRY_ASSIGN(const auto configs, configs_of(target, topic.name));
    if (given.only_overridden && configs.empty()) continue;
    if (given.as_json) {
      all.push_back(to_json(topic, configs));
    } else {
      print(topic, configs, !given.only_overridden, to.out);
    }
  }
  if (given.as_json) to.print(all);
  return {};
}

status list(const topics_arguments& given, cluster& target, const tool_context& to) {
  TRY_ASSIGN(const auto topics, chosen(given, target));
  json names = json::array();
  for (const auto& topic : topics) {
    if (!given.as_json) fmt::print(to.out, "{}\n", topic.name);
    names.push_back(topic.name);
  }
  if (given.as_json) to.print(names);
  return {};
}

status run(const topics_arguments& given, const tool_context& to) {
  if (given.topic.empty() && (given.create || given.alter || given.remove)) {
    return make_error(error_code::invalid_argument, "--topic says which topic is meant");
  }
  TRY_ASSIGN(cluster target, cluster::open(given, given.create));
  if (given.create) return create(given, target, to);
  if (given.list) return list(given, target, to);
  if (given.describe) return describe(given, target, to);
  TRY_ASSIGN(const auto topics, chosen(given, target));
  for (const auto& topic : topics) {
    TRY(given.remove ? target.delete_topic(topic.name)
                     : target.create_partitions(topic.name, given.partitions));
  }
  return {};
}

}  // namespace

void add_topics_command(CLI::App& program, int& outcome) {
  add_tool<topics_arguments>(program, outcome, "topics",
                             "Make, list, describe, grow and delete topics, as kafka-topics does",
                             declare, run);
}

}  // namespace ringlog::app
