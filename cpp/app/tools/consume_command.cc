#include <fmt/ostream.h>

#include <charconv>
#include <limits>

#include "app/commands.h"
#include "app/tools/client_properties.h"
#include "app/tools/interruption.h"
#include "app/tools/line_format.h"
#include "app/tools/tool.h"
#include "client/consumer.h"

namespace ringlog::app {
namespace {

struct consume_arguments : tool_arguments {
  std::string topic;
  std::string include;
  std::optional<std::int32_t> partition;
  std::string offset = "latest";
  bool from_beginning = false;
  std::int64_t messages_max = std::numeric_limits<std::int64_t>::max();
  std::optional<std::int64_t> timeout_ms;
  std::string group;
  std::string isolation;
  std::vector<std::string> properties;
  std::vector<std::string> consumer_properties;
};

void declare(CLI::App& command, consume_arguments& given) {
  auto* what = command.add_option_group("topics");
  what->add_option("--topic", given.topic);
  what->add_option("--include", given.include, "A pattern of names");
  what->require_option(1);
  auto* partition = command.add_option("--partition", given.partition, "Only this one");
  command.add_option("--offset", given.offset, "Where to begin: earliest, latest or a number")
      ->needs(partition);
  command.add_flag("--from-beginning", given.from_beginning,
                   "Begin with the oldest record where the group has no offset");
  command.add_option("--max-messages", given.messages_max, "End after so many");
  command.add_option("--timeout-ms", given.timeout_ms, "End when none comes for so long");
  command.add_option("--group", given.group, "Default: none, nothing is committed");
  command.add_option("--isolation-level", given.isolation, "read_uncommitted or read_committed");
  command
      .add_option("--property,--formatter-property", given.properties,
                  "NAME=VALUE: print.timestamp, print.partition, print.offset, print.headers, "
                  "print.key, print.value, key.separator, line.separator, headers.separator, "
                  "null.literal")
      ->allow_extra_args(false);
  command
      .add_option("--consumer-property,--command-property", given.consumer_properties,
                  "NAME=VALUE of the consumer, such as fetch.min.bytes=1000")
      ->allow_extra_args(false);
}

status begin(const consume_arguments& given, client::consumer& reader) {
  if (given.partition) {
    const topic_partition source{given.topic, partition_id_t(*given.partition)};
    TRY(reader.assign({source}));
    if (given.from_beginning || given.offset == "earliest") {
      return reader.seek_to({source}, client::offset_reset::earliest);
    }
    if (given.offset == "latest") return reader.seek_to({source}, client::offset_reset::latest);
    std::int64_t at = 0;
    const char* end = given.offset.data() + given.offset.size();
    if (std::from_chars(given.offset.data(), end, at).ptr != end || at < 0) {
      return make_error(error_code::invalid_argument,
                        "--offset is earliest, latest or a number, not '{}'", given.offset);
    }
    return reader.seek(source, offset_t(at));
  }
  if (given.include.empty()) return reader.subscribe({given.topic});
  TRY_ASSIGN(const name_pattern wanted, name_pattern::make(given.include));
  return reader.subscribe_by(
      [wanted](std::vector<std::string> names) -> result<std::vector<std::string>> {
        std::erase_if(names, [&](const auto& name) { return !wanted.matches(name); });
        return names;
      });
}

json text_or_null(const std::optional<bytes_view>& bytes) {
  return bytes ? json(to_string(*bytes)) : json(nullptr);
}

json to_json(const client::fetched_batch& batch, const model::record_view& record) {
  json headers = json::array();
  auto each = record.headers();
  for (model::record_header_view header; each.next(header);) {
    headers.push_back({std::string(header.key), text_or_null(header.value)});
  }
  return {{"topic", batch.partition->source.topic},
          {"partition", batch.partition->source.partition.value()},
          {"offset", record.offset.value()},
          {"timestamp", record.timestamp},
          {"key", text_or_null(record.key)},
          {"value", text_or_null(record.value)},
          {"headers", std::move(headers)}};
}

status read(const consume_arguments& given, const record_format& format, client::consumer& reader,
            const tool_context& to, std::int64_t& count) {
  const milliseconds idle_max(given.timeout_ms.value_or(3'600'000));
  while (count < given.messages_max && !was_interrupted()) {
    reader.begin_call();
    model::record_view record;
    if (!reader.take(record)) {
      to.out.flush();
      const auto filled = reader.fill_within(idle_max, &until_interrupted());
      if (!filled.ok()) return filled.failure();
      if (!*filled && given.timeout_ms) return {};
      continue;
    }
    const client::fetched_batch& batch = *reader.current();
    if (given.as_json) {
      to.print(to_json(batch, record));
    } else {
      to.out << format_record(format, batch.partition->source.partition, batch.timestamps, record);
    }
    ++count;
  }
  return {};
}

status run(const consume_arguments& given, const tool_context& to) {
  record_format format;
  for (const std::string& property : given.properties) {
    TRY_ASSIGN(const auto setting, parse_setting(property));
    TRY(format.set(setting.first, setting.second));
  }
  client::consumer_options options;
  if (!given.group.empty()) options.group_id = given.group;
  if (given.from_beginning) options.auto_offset_reset = client::offset_reset::earliest;
  std::vector<std::string> properties = given.consumer_properties;
  if (!given.isolation.empty()) properties.push_back("isolation.level=" + given.isolation);
  TRY_ASSIGN(const auto settings, client_properties_of(given.command_config, properties));
  TRY(apply_consumer_properties(settings, options));
  TRY_ASSIGN(cluster target, cluster::open(given, false));
  const auto reader = client::consumer::make(target.shared_transport(), options);
  TRY(begin(given, *reader));
  std::int64_t count = 0;
  const status done = read(given, format, *reader, to, count);
  to.out.flush();
  const bool commits = options.group_id && options.enable_auto_commit;
  const status closed = reader->close(commits, client::wait_limit::after(cluster::call_wait_max));
  fmt::print(to.err, "Processed a total of {} messages\n", count);
  if (!done.ok() && done.code() != error_code::interrupted) return done;
  return closed;
}

}  // namespace

void add_consume_command(CLI::App& program, int& outcome) {
  add_tool<consume_arguments>(program, outcome, "consume",
                              "Print records as they come, as kafka-console-consumer does", declare,
                              run);
}

}  // namespace ringlog::app
