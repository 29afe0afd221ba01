#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/commands.h"
#include "app/tools/group_members.h"
#include "app/tools/offset_reset.h"
#include "app/tools/table.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct groups_arguments : tool_arguments {
  bool list = false;
  bool describe = false;
  bool remove = false;
  bool reset = false;
  bool delete_offsets = false;
  std::vector<std::string> groups;
  bool all_groups = false;
  std::vector<std::string> topics;
  bool all_topics = false;
  bool members = false;
  bool state = false;
  bool type = false;
  bool verbose = false;
  reset_arguments to;
  bool execute = false;
  bool as_csv = false;
};

void declare_reset(CLI::App& command, groups_arguments& given) {
  auto* where = command.add_option_group("where to, with --reset-offsets");
  where->add_flag("--to-earliest", given.to.to_earliest);
  where->add_flag("--to-latest", given.to.to_latest);
  where->add_flag("--to-current", given.to.to_current);
  where->add_option("--to-offset", given.to.to_offset);
  where->add_option("--shift-by", given.to.shift_by, "So many records further, or back");
  where->add_option("--to-datetime", given.to.to_datetime, "2026-03-01T12:00:00.000, UTC");
  where->add_option("--by-duration", given.to.by_duration, "P7D, PT1H30M: so long ago");
  where->add_option("--from-file", given.to.from_file, "Lines of TOPIC,PARTITION,OFFSET");
  where->require_option(0, 1);
  command.add_flag("--execute", given.execute, "Do it; without, only say what would be done");
  command
      .add_flag(
          "--dry-run", [](std::int64_t) {}, "The default")
      ->excludes("--execute");
  command.add_flag("--export", given.as_csv, "Print TOPIC,PARTITION,OFFSET for --from-file");
}

void declare(CLI::App& command, groups_arguments& given) {
  auto* actions = command.add_option_group("actions");
  actions->add_flag("--list", given.list, "Names of groups");
  actions->add_flag("--describe", given.describe, "Offsets and lag of groups");
  actions->add_flag("--delete", given.remove, "Delete groups without members");
  actions->add_flag("--reset-offsets", given.reset, "Where groups without members go on");
  actions->add_flag("--delete-offsets", given.delete_offsets, "Forget offsets of --topic");
  actions->require_option(1);
  command.add_option("--group", given.groups, "Several if wanted");
  command.add_flag("--all-groups", given.all_groups);
  command.add_option("--topic", given.topics, "NAME or NAME:PARTITION,PARTITION");
  command.add_flag("--all-topics", given.all_topics, "All that the group has offsets of");
  command.add_flag(
      "--offsets", [](std::int64_t) {}, "With --describe: the default");
  command.add_flag("--members", given.members, "With --describe: members");
  command.add_flag("--state", given.state, "With --describe and --list: states");
  command.add_flag("--type", given.type, "With --list: types");
  command.add_flag("--verbose", given.verbose, "With --members: their partitions");
  declare_reset(command, given);
}

result<std::vector<std::string>> chosen_groups(const groups_arguments& given, cluster& target) {
  if (!given.all_groups) {
    if (!given.groups.empty()) return given.groups;
    return make_error(error_code::invalid_argument, "--group or --all-groups says what is meant");
  }
  TRY_ASSIGN(const auto all, target.groups());
  std::vector<std::string> names;
  for (const auto& group : all) names.push_back(group.group);
  return names;
}

std::string or_dash(const std::optional<std::string>& text) { return text.value_or("-"); }

// ---- list

status list(const groups_arguments& given, cluster& target, const tool_context& to) {
  TRY_ASSIGN(const auto groups, target.groups());
  const bool in_columns = given.state || given.type;
  table shown({"GROUP", "TYPE", "STATE"});
  json all = json::array();
  for (const auto& group : groups) {
    shown.add({group.group, group.type, group.state});
    all.push_back({{"group", group.group},
                   {"type", group.type},
                   {"state", group.state},
                   {"protocol_type", group.protocol_type}});
    if (!given.as_json && !in_columns) fmt::print(to.out, "{}\n", group.group);
  }
  if (given.as_json) {
    to.print(all);
  } else if (in_columns) {
    shown.print(to.out);
  }
  return {};
}

// ---- describe

status describe_offsets(const broker::described_group& group, cluster& target, table& shown,
                        json& all) {
  TRY_ASSIGN(const auto committed, target.committed(group.group));
  std::map<topic_partition, std::optional<offset_t>> positions;
  for (const auto& [partition, position] : committed) {
    if (position) positions[partition] = position->offset;
  }
  const auto owners = owners_of(group);
  for (const auto& [partition, member] : owners) positions.try_emplace(partition);
  for (const auto& [partition, position] : positions) {
    const auto end = target.offset(partition, broker::latest_timestamp);
    const auto owner = owners.find(partition);
    const auto* member = owner == owners.end() ? nullptr : owner->second;
    json row = {{"group", group.group},
                {"topic", partition.topic},
                {"partition", partition.partition.value()},
                {"current_offset", nullptr},
                {"log_end_offset", nullptr},
                {"lag", nullptr},
                {"member", nullptr}};
    std::optional<std::string> at, until, lag, id, host, client;
    if (position) {
      at = fmt::format("{}", *position);
      row["current_offset"] = position->value();
    }
    if (end.ok()) {
      until = fmt::format("{}", end->offset);
      row["log_end_offset"] = end->offset.value();
    }
    if (position && end.ok()) {
      lag = fmt::format("{}", end->offset.value() - position->value());
      row["lag"] = end->offset.value() - position->value();
    }
    if (member != nullptr) {
      id = member->member;
      host = member->client_host;
      client = member->client_id;
      row["member"] = member->member;
    }
    shown.add({group.group, partition.topic, fmt::format("{}", partition.partition), or_dash(at),
               or_dash(until), or_dash(lag), or_dash(id), or_dash(host), or_dash(client)});
    all.push_back(std::move(row));
  }
  return {};
}

void describe_members(const broker::described_group& group, bool verbose, table& shown, json& all) {
  for (const auto& member : group.members) {
    const auto partitions = assigned_to(member);
    std::map<std::string, std::vector<std::int32_t>> by_topic;
    for (const auto& each : partitions) by_topic[each.topic].push_back(each.partition.value());
    std::vector<std::string> texts;
    for (const auto& [topic, numbers] : by_topic) {
      texts.push_back(fmt::format("{}:{}", topic, fmt::join(numbers, ",")));
    }
    std::vector<std::string> row{group.group, member.member, member.client_host, member.client_id,
                                 fmt::format("{}", partitions.size())};
    if (verbose) row.push_back(texts.empty() ? "-" : fmt::format("{}", fmt::join(texts, ", ")));
    shown.add(std::move(row));
    all.push_back({{"group", group.group},
                   {"member", member.member},
                   {"instance", member.instance ? json(*member.instance) : json(nullptr)},
                   {"host", member.client_host},
                   {"client_id", member.client_id},
                   {"partitions", by_topic}});
  }
}

table heading_of(const groups_arguments& given) {
  if (given.state) {
    return table({"GROUP", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS"});
  }
  if (!given.members) {
    return table({"GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG",
                  "CONSUMER-ID", "HOST", "CLIENT-ID"});
  }
  if (given.verbose) {
    return table(
        {"GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS", "CURRENT-ASSIGNMENT"});
  }
  return table({"GROUP", "CONSUMER-ID", "HOST", "CLIENT-ID", "#PARTITIONS"});
}

status describe(const groups_arguments& given, cluster& target, const tool_context& to) {
  TRY_ASSIGN(const auto names, chosen_groups(given, target));
  json all = json::array();
  for (const std::string& name : names) {
    TRY_ASSIGN(const auto group, target.group(name));
    if (group.state == "Dead") {
      return make_error(error_code::group_id_not_found, "Consumer group '{}' does not exist.",
                        name);
    }
    table shown = heading_of(given);
    if (given.state) {
      shown.add({name, group.protocol.empty() ? "-" : group.protocol, group.state,
                 fmt::format("{}", group.members.size())});
      all.push_back({{"group", name},
                     {"assignment_strategy", group.protocol},
                     {"state", group.state},
                     {"members", group.members.size()}});
    } else if (given.members) {
      describe_members(group, given.verbose, shown, all);
    } else {
      TRY(describe_offsets(group, target, shown, all));
    }
    if (given.as_json) continue;
    if (group.members.empty() && !given.state) {
      fmt::print(to.err, "\nConsumer group '{}' has no active members.\n", name);
    }
    if (shown.empty()) continue;
    fmt::print(to.out, "\n");
    shown.print(to.out);
  }
  if (given.as_json) to.print(all);
  return {};
}

// ---- changes

status check_each(const broker::partition_failures& outcomes) {
  for (const auto& [partition, failure] : outcomes) {
    if (!failure) continue;
    return make_error(failure->code, "{}: {}", partition.to_string(), failure->message);
  }
  return {};
}

result<std::vector<topic_partition>> chosen_partitions(const groups_arguments& given,
                                                       const std::string& group, cluster& target) {
  if (!given.all_topics) return partitions_of(given.topics, target);
  TRY_ASSIGN(const auto committed, target.committed(group));
  std::vector<topic_partition> partitions;
  for (const auto& [partition, position] : committed) partitions.push_back(partition);
  return partitions;
}

status check_without_members(const std::string& group, cluster& target) {
  const auto described = target.group(group);
  if (!described.ok()) {
    // One that is not there has no members.
    return described.code() == error_code::group_id_not_found ? status()
                                                              : status(described.failure());
  }
  if (described->members.empty()) return {};
  return make_error(error_code::non_empty_group,
                    "group '{}' has members: its offsets can be set when they are gone", group);
}

status reset(const groups_arguments& given, const std::string& group, cluster& target,
             const tool_context& to, json& all) {
  TRY(check_without_members(group, target));
  TRY_ASSIGN(const auto partitions, chosen_partitions(given, group, target));
  if (partitions.empty() && given.to.from_file.empty()) {
    return make_error(error_code::invalid_argument,
                      "--topic, --all-topics or --from-file says which partitions are meant");
  }
  const std::int64_t now = target.over().time().wall_ms();
  TRY_ASSIGN(const auto offsets, new_offsets(given.to, group, partitions, now, target));
  if (given.execute) {
    std::vector<std::pair<topic_partition, broker::committed_offset>> wanted;
    for (const auto& [partition, at] : offsets)
      wanted.push_back({partition, {at, no_leader_epoch, ""}});
    TRY_ASSIGN(const auto outcomes, target.commit(group, std::move(wanted)));
    TRY(check_each(outcomes));
  }
  table shown({"GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"});
  for (const auto& [partition, at] : offsets) {
    shown.add(
        {group, partition.topic, fmt::format("{}", partition.partition), fmt::format("{}", at)});
    all.push_back({{"group", group},
                   {"topic", partition.topic},
                   {"partition", partition.partition.value()},
                   {"new_offset", at.value()}});
    if (given.as_csv) {
      fmt::print(to.out, "{},{},{}\n", partition.topic, partition.partition, at);
    }
  }
  if (given.as_csv || given.as_json) return {};
  fmt::print(to.out, "\n");
  shown.print(to.out);
  return {};
}

status delete_offsets(const groups_arguments& given, const std::string& group, cluster& target,
                      const tool_context& to) {
  TRY_ASSIGN(const auto partitions, chosen_partitions(given, group, target));
  TRY_ASSIGN(const auto outcomes, target.delete_offsets(group, partitions));
  TRY(check_each(outcomes));
  if (given.as_json) return {};
  table shown({"TOPIC", "PARTITION", "STATUS"});
  for (const auto& [partition, failure] : outcomes) {
    shown.add({partition.topic, fmt::format("{}", partition.partition), "Successful"});
  }
  shown.print(to.out);
  return {};
}

status change(const groups_arguments& given, cluster& target, const tool_context& to) {
  TRY_ASSIGN(const auto names, chosen_groups(given, target));
  json all = json::array();
  for (const std::string& name : names) {
    if (given.reset) {
      TRY(reset(given, name, target, to, all));
    } else if (given.delete_offsets) {
      TRY(delete_offsets(given, name, target, to));
    } else {
      TRY(target.delete_group(name));
    }
  }
  if (given.reset && given.as_json) to.print(all);
  if (given.remove && !given.as_json) {
    fmt::print(to.out, "Deletion of requested consumer groups ('{}') was successful.\n",
               fmt::join(names, "', '"));
  }
  return {};
}

status run(const groups_arguments& given, const tool_context& to) {
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  if (given.list) return list(given, target, to);
  if (given.describe) return describe(given, target, to);
  return change(given, target, to);
}

}  // namespace

void add_groups_command(CLI::App& program, int& outcome) {
  add_tool<groups_arguments>(program, outcome, "groups",
                             "Show consumer groups and their lag, set and forget their offsets, "
                             "delete them, as kafka-consumer-groups does",
                             declare, run);
}

}  // namespace ringlog::app
