#include <fmt/chrono.h>
#include <fmt/ostream.h>

#include "app/commands.h"
#include "app/tools/client_properties.h"
#include "app/tools/interruption.h"
#include "app/tools/progress.h"
#include "app/tools/tool.h"
#include "client/consumer.h"

namespace ringlog::app {
namespace {

struct perf_consume_arguments : tool_arguments {
  std::string topic;
  std::int64_t count = 0;
  std::string group;
  std::int64_t timeout_ms = 10'000;
  bool from_latest = false;
  bool hide_header = false;
  std::vector<std::string> properties;
};

void declare(CLI::App& command, perf_consume_arguments& given) {
  command.add_option("--topic", given.topic)->required();
  command.add_option("--num-records,--messages", given.count, "How many to read")
      ->required()
      ->check(CLI::PositiveNumber);
  command.add_option("--group", given.group, "Default: one of its own");
  command.add_option("--timeout", given.timeout_ms, "End when none comes for so many ms");
  command.add_flag("--from-latest", given.from_latest,
                   "Begin with new records where the group has no offset");
  command.add_flag("--hide-header", given.hide_header, "Only the line with the numbers");
  command.add_option("--consumer-property,--command-property", given.properties,
                     "NAME=VALUE of the consumer, such as fetch.min.bytes=1000");
}

struct measured {
  std::int64_t records = 0;
  std::int64_t bytes = 0;  // of keys and values
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
  std::int64_t rebalance_ms = 0;  // until partitions were assigned first
};

status read(const perf_consume_arguments& given, client::consumer& reader, measured& found) {
  progress bar("records read", given.count, reader.over().time());
  while (found.records < given.count && !was_interrupted()) {
    reader.begin_call();
    model::record_view record;
    if (reader.take(record)) {
      ++found.records;
      if (record.key) found.bytes += static_cast<std::int64_t>(record.key->size());
      if (record.value) found.bytes += static_cast<std::int64_t>(record.value->size());
      continue;
    }
    bar.show(found.records);
    TRY_ASSIGN(const bool filled,
               reader.fill_within(milliseconds(given.timeout_ms), &until_interrupted()));
    if (!filled) break;
  }
  return {};
}

// The columns of kafka-consumer-perf-test.
void print(const perf_consume_arguments& given, const measured& found, const tool_context& to) {
  const double megabytes = static_cast<double>(found.bytes) / (1024.0 * 1024.0);
  const auto rate = [](double amount, std::int64_t ms) {
    return ms > 0 ? amount * 1000.0 / static_cast<double>(ms) : 0.0;
  };
  const std::int64_t took = found.end_ms - found.start_ms;
  const std::int64_t fetching = took - found.rebalance_ms;
  const auto records = static_cast<double>(found.records);
  if (given.as_json) {
    return to.print({{"records", found.records},
                     {"megabytes", megabytes},
                     {"ms", took},
                     {"rebalance_ms", found.rebalance_ms},
                     {"records_per_second", rate(records, took)},
                     {"megabytes_per_second", rate(megabytes, took)}});
  }
  const auto text_of = [](std::int64_t ms) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S}:{:03}", fmt::localtime(std::time_t(ms / 1000)),
                       ms % 1000);
  };
  if (!given.hide_header) {
    fmt::print(to.out,
               "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, "
               "nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n");
  }
  fmt::print(to.out, "{}, {}, {:.4f}, {:.4f}, {}, {:.4f}, {}, {}, {:.4f}, {:.4f}\n",
             text_of(found.start_ms), text_of(found.end_ms), megabytes, rate(megabytes, took),
             found.records, rate(records, took), found.rebalance_ms, fetching,
             rate(megabytes, fetching), rate(records, fetching));
}

status run(const perf_consume_arguments& given, const tool_context& to) {
  client::consumer_options options;
  options.auto_offset_reset =
      given.from_latest ? client::offset_reset::latest : client::offset_reset::earliest;
  TRY_ASSIGN(const auto settings, client_properties_of(given.command_config, given.properties));
  TRY(apply_consumer_properties(settings, options));
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  client::transport& over = target.over();
  if (!given.group.empty()) options.group_id = given.group;
  if (!options.group_id) {
    options.group_id = fmt::format("perf-consumer-{}", over.random().below(1'000'000));
  }
  const auto reader = client::consumer::make(target.shared_transport(), options);
  measured found;
  found.start_ms = over.time().wall_ms();
  client::rebalance_hooks hooks;
  hooks.assigned = [&](const std::vector<topic_partition>&) -> status {
    if (found.rebalance_ms == 0) found.rebalance_ms = over.time().wall_ms() - found.start_ms;
    return {};
  };
  reader->set_hooks(std::move(hooks));
  TRY(reader->subscribe({given.topic}));
  const status done = read(given, *reader, found);
  found.end_ms = over.time().wall_ms();
  const status closed = reader->close(true, client::wait_limit::after(cluster::call_wait_max));
  if (!done.ok() && done.code() != error_code::interrupted) return done;
  if (found.records < given.count) {
    fmt::print(to.err, "Only {} of {} records came.\n", found.records, given.count);
  }
  print(given, found, to);
  return closed;
}

}  // namespace

void add_perf_consume_command(CLI::App& program, int& outcome) {
  add_tool<perf_consume_arguments>(program, outcome, "perf-consume",
                                   "How fast records are read, as kafka-consumer-perf-test "
                                   "measures",
                                   declare, run);
}

}  // namespace ringlog::app
