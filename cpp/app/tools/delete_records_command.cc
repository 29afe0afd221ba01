#include <fmt/ostream.h>

#include <fstream>

#include "app/commands.h"
#include "app/tools/offset_reset.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct delete_records_arguments : tool_arguments {
  std::string file;
};

void declare(CLI::App& command, delete_records_arguments& given) {
  command
      .add_option("--offset-json-file", given.file,
                  "{\"partitions\": [{\"topic\": \"t\", \"partition\": 0, \"offset\": 7}], "
                  "\"version\": 1}; offset -1 means all records")
      ->required();
}

result<offsets_by_partition> read_offsets(const std::string& path) {
  std::ifstream file(path);
  const json whole = json::parse(file, nullptr, false);
  const auto wrong = [&] {
    return make_error(error_code::invalid_argument,
                      "{} is no JSON object with partitions, each of topic, partition and offset",
                      path);
  };
  if (!whole.is_object() || !whole.contains("partitions")) return wrong();
  offsets_by_partition found;
  for (const json& each : whole.at("partitions")) {
    if (!each.is_object() || !each.value("topic", json()).is_string() ||
        !each.value("partition", json()).is_number_integer() ||
        !each.value("offset", json()).is_number_integer()) {
      return wrong();
    }
    found.push_back({{each.at("topic").get<std::string>(),
                      partition_id_t(each.at("partition").get<std::int32_t>())},
                     offset_t(each.at("offset").get<std::int64_t>())});
  }
  return found;
}

status run(const delete_records_arguments& given, const tool_context& to) {
  TRY_ASSIGN(const auto offsets, read_offsets(given.file));
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  json all = json::array();
  std::optional<error> failure;
  if (!given.as_json) fmt::print(to.out, "Records delete operation completed:\n");
  for (const auto& [partition, before] : offsets) {
    const auto start = target.delete_records(partition, before);
    json row = {{"topic", partition.topic}, {"partition", partition.partition.value()}};
    if (start.ok()) {
      row["low_watermark"] = start->value();
    } else {
      row["error"] = start.failure().message;
      failure = start.failure();
    }
    all.push_back(row);
    if (given.as_json) continue;
    fmt::print(to.out, "partition: {}\t{}\n", partition.to_string(),
               start.ok() ? fmt::format("low_watermark: {}", *start)
                          : "error: " + start.failure().message);
  }
  if (given.as_json) to.print(all);
  return failure ? status(*failure) : status();
}

}  // namespace

void add_delete_records_command(CLI::App& program, int& outcome) {
  add_tool<delete_records_arguments>(program, outcome, "delete-records",
                                     "Delete the oldest records of partitions, as "
                                     "kafka-delete-records does",
                                     declare, run);
}

}  // namespace ringlog::app
