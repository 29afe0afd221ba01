#include <fmt/ostream.h>

#include <charconv>

#include "app/commands.h"
#include "app/tools/offset_reset.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct offsets_arguments : tool_arguments {
  std::string topic;
  std::string time = "latest";
  bool exclude_internal = false;
};

void declare(CLI::App& command, offsets_arguments& given) {
  command.add_option("--topic", given.topic, "A name or a pattern of names. Default: all");
  command.add_option("--time", given.time,
                     "latest, earliest, max-timestamp, or milliseconds: of the first record that "
                     "is not older. Default: latest");
  command.add_flag("--exclude-internal-topics", given.exclude_internal);
}

result<std::int64_t> timestamp_of(const std::string& text) {
  if (text == "latest" || text == "-1") return broker::latest_timestamp;
  if (text == "earliest" || text == "-2") return broker::earliest_timestamp;
  if (text == "max-timestamp" || text == "-3") return broker::max_timestamp;
  std::int64_t timestamp = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, timestamp).ptr == end && timestamp >= 0) return timestamp;
  return make_error(error_code::invalid_argument,
                    "--time is latest, earliest, max-timestamp or milliseconds, not '{}'", text);
}

status run(const offsets_arguments& given, const tool_context& to) {
  TRY_ASSIGN(const std::int64_t timestamp, timestamp_of(given.time));
  TRY_ASSIGN(const name_pattern wanted,
             name_pattern::make(given.topic.empty() ? ".*" : given.topic));
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  TRY_ASSIGN(const auto topics, target.topics());
  json all = json::array();
  bool found_any = false;
  for (const auto& topic : topics) {
    if (!wanted.matches(topic.name) || (given.exclude_internal && topic.internal)) continue;
    found_any = true;
    for (const auto& partition : topic.partitions) {
      TRY_ASSIGN(const auto found, target.offset({topic.name, partition.partition}, timestamp));
      const bool is_none = found.offset == no_offset;
      if (!given.as_json) {
        fmt::print(to.out, "{}:{}:{}\n", topic.name, partition.partition,
                   is_none ? "" : fmt::format("{}", found.offset));
      }
      all.push_back({{"topic", topic.name},
                     {"partition", partition.partition.value()},
                     {"offset", is_none ? json(nullptr) : json(found.offset.value())}});
    }
  }
  if (given.as_json) to.print(all);
  if (!found_any && !given.topic.empty()) {
    return make_error(error_code::unknown_topic_or_partition, "Topic '{}' does not exist",
                      given.topic);
  }
  return {};
}

}  // namespace

void add_offsets_command(CLI::App& program, int& outcome) {
  add_tool<offsets_arguments>(program, outcome, "offsets",
                              "Offsets of partitions at their ends or at a time, as "
                              "kafka-get-offsets does",
                              declare, run);
}

}  // namespace ringlog::app
