#include <fmt/ostream.h>

#include <algorithm>

#include "app/commands.h"
#include "app/tools/table.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct log_dirs_arguments : tool_arguments {
  bool describe = false;
  std::vector<std::int32_t> brokers;
  std::vector<std::string> topics;
};

void declare(CLI::App& command, log_dirs_arguments& given) {
  command.add_flag("--describe", given.describe,
                   "What this does anyway; for Kafka's command lines");
  command.add_option("--broker-list", given.brokers, "Only these, N,N")->delimiter(',');
  command.add_option("--topic-list", given.topics, "Only these, NAME,NAME")->delimiter(',');
}

json or_null(const std::optional<std::int64_t>& bytes) { return bytes ? json(*bytes) : json(); }

json to_json(const client::described_log_directory& directory) {
  json partitions = json::array();
  for (const auto& each : directory.partitions) {
    partitions.push_back({{"partition", each.name.to_string()},
                          {"size", each.bytes},
                          {"offsetLag", each.offset_lag},
                          {"isFuture", each.is_future}});
  }
  return {{"partitions", std::move(partitions)},
          {"error", directory.failure ? json(*directory.failure) : json()},
          {"logDir", directory.path},
          {"totalBytes", or_null(directory.total_bytes)},
          {"usableBytes", or_null(directory.usable_bytes)}};
}

void add_rows(node_id_t node, const client::described_log_directory& directory, table& rows) {
  const auto add = [&](std::string what, std::string bytes) {
    rows.add({fmt::format("{}", node), directory.path, std::move(what), std::move(bytes)});
  };
  if (directory.failure) add("(" + *directory.failure + ")", "");
  for (const auto& each : directory.partitions) {
    add(each.name.to_string(), fmt::format("{}", each.bytes));
  }
  if (directory.usable_bytes) add("(free)", fmt::format("{}", *directory.usable_bytes));
}

result<std::vector<node_id_t>> nodes_of(const log_dirs_arguments& given, cluster& target) {
  std::vector<node_id_t> nodes;
  for (const std::int32_t broker : given.brokers) nodes.emplace_back(broker);
  if (!nodes.empty()) return nodes;
  TRY_ASSIGN(const auto described, target.description());
  for (const auto& node : described.nodes) nodes.push_back(node.id);
  return nodes;
}

status run(const log_dirs_arguments& given, const tool_context& to) {
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  TRY_ASSIGN(const auto nodes, nodes_of(given, target));
  json brokers = json::array();
  table rows({"BROKER", "DIRECTORY", "PARTITION", "BYTES"});
  for (const node_id_t node : nodes) {
    TRY_ASSIGN(auto directories, target.log_directories(node));
    json shown = json::array();
    for (auto& directory : directories) {
      std::erase_if(directory.partitions, [&](const auto& each) {
        return !given.topics.empty() && !std::ranges::count(given.topics, each.name.topic);
      });
      std::ranges::sort(directory.partitions, {}, [](const auto& each) { return each.name; });
      shown.push_back(to_json(directory));
      add_rows(node, directory, rows);
    }
    brokers.push_back({{"broker", node.value()}, {"logDirs", std::move(shown)}});
  }
  if (given.as_json) {
    to.print({{"brokers", std::move(brokers)}, {"version", 1}});
  } else {
    rows.print(to.out);
  }
  return {};
}

}  // namespace

void add_log_dirs_command(CLI::App& program, int& outcome) {
  add_tool<log_dirs_arguments>(program, outcome, "log-dirs",
                               "What lies in the log directories, with --json as kafka-log-dirs "
                               "shows it",
                               declare, run);
}

}  // namespace ringlog::app
