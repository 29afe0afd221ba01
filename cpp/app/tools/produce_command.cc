#include <fmt/ostream.h>
#include <unistd.h>

#include <iostream>
#include <mutex>

#include "app/commands.h"
#include "app/tools/client_properties.h"
#include "app/tools/interruption.h"
#include "app/tools/line_format.h"
#include "app/tools/tool.h"

namespace ringlog::app {
namespace {

struct produce_arguments : tool_arguments {
  std::string topic;
  std::vector<std::string> properties;
  std::vector<std::string> producer_properties;
  std::string codec;
  std::string acks;
  bool waits_for_each = false;
};

void declare(CLI::App& command, produce_arguments& given) {
  command.add_option("--topic", given.topic, "Made when it is missing and may be")->required();
  command
      .add_option("--property,--reader-property", given.properties,
                  "NAME=VALUE: parse.key, key.separator, parse.headers, headers.delimiter, "
                  "headers.separator, headers.key.separator, null.marker, ignore.error")
      ->allow_extra_args(false);
  command
      .add_option("--producer-property,--command-property", given.producer_properties,
                  "NAME=VALUE of the producer, such as linger.ms=5")
      ->allow_extra_args(false);
  command.add_option("--compression-codec", given.codec, "gzip, snappy, lz4, zstd. Default: gzip")
      ->expected(0, 1)
      ->default_str("gzip");
  command.add_option("--request-required-acks", given.acks, "all, 1 or 0. Default: all");
  command.add_flag("--sync", given.waits_for_each, "Each record is stored before the next is sent");
}

// What became of records that nobody waits for.
class delivery {
 public:
  void note(const std::optional<error>& failure) {
    if (!failure) return;
    const std::lock_guard guard(mutex_);
    ++failed_;
    if (!first_) first_ = failure;
  }

  status outcome() const {
    const std::lock_guard guard(mutex_);
    if (!first_) return {};
    return make_error(first_->code, "{} records were not stored: {}", failed_, first_->message);
  }

 private:
  mutable std::mutex mutex_;
  std::int64_t failed_ = 0;
  std::optional<error> first_;
};

status send(client::producer& sender, client::producer_topic& to, const parsed_line& line,
            bool waits, const std::shared_ptr<delivery>& delivered) {
  std::vector<model::record_header_view> headers;
  for (const auto& [key, value] : line.headers) {
    headers.push_back({key, value ? std::optional(as_bytes(*value)) : std::nullopt});
  }
  client::outgoing_record record;
  if (line.key) record.key = as_bytes(*line.key);
  if (line.value) record.value = as_bytes(*line.value);
  record.headers = headers;
  TRY_ASSIGN(const auto sent, sender.send(to, record, cluster::limit()));
  const auto batch = sent.batch;
  if (waits) TRY(batch->wait(cluster::limit()));
  batch->when_done([delivered, batch] { delivered->note(batch->failure()); });
  return {};
}

status send_lines(const produce_arguments& given, const line_format& format,
                  client::producer& sender, const std::shared_ptr<delivery>& delivered,
                  const tool_context& to) {
  TRY_ASSIGN(auto* const topic, sender.topic(given.topic, cluster::limit()));
  const bool is_typed = ::isatty(STDIN_FILENO) == 1;
  for (std::string line; !was_interrupted();) {
    if (is_typed) fmt::print(to.out, ">"), to.out.flush();
    if (!std::getline(to.in, line)) break;
    TRY_ASSIGN(const parsed_line parsed, parse_line(format, line));
    TRY(send(sender, *topic, parsed, given.waits_for_each, delivered));
  }
  return {};
}

status run(const produce_arguments& given, const tool_context& to) {
  line_format format;
  for (const std::string& property : given.properties) {
    TRY_ASSIGN(const auto setting, parse_setting(property));
    TRY(format.set(setting.first, setting.second));
  }
  client::producer_options options;
  options.linger_ms = 5;
  std::vector<std::string> properties = given.producer_properties;
  if (!given.codec.empty()) properties.push_back("compression.type=" + given.codec);
  if (!given.acks.empty()) properties.push_back("acks=" + given.acks);
  TRY_ASSIGN(const auto settings, client_properties_of(given.command_config, properties));
  TRY(apply_producer_properties(settings, options));
  if (options.acks != broker::required_acks::all) options.enable_idempotence = false;
  TRY_ASSIGN(cluster target, cluster::open(given, true));
  const auto sender = client::producer::make(target.shared_transport(), options);
  const auto delivered = std::make_shared<delivery>();
  const status sent = send_lines(given, format, *sender, delivered, to);
  const status closed = sender->close(client::wait_limit::after(cluster::call_wait_max));
  TRY(delivered->outcome());
  return sent.ok() ? closed : sent;
}

}  // namespace

void add_produce_command(CLI::App& program, int& outcome) {
  add_tool<produce_arguments>(program, outcome, "produce",
                              "Send each line of standard input as a record, as "
                              "kafka-console-producer does",
                              declare, run);
}

}  // namespace ringlog::app
