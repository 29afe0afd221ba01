#include "app/tools/client_properties.h"

#include <charconv>
#include <fstream>
#include <functional>

#include "app/tools/tool.h"
#include "base/properties.h"

namespace ringlog::app {
namespace {

using setter = std::function<status(const std::string&)>;
using setters = std::map<std::string_view, setter>;

template <typename Number>
setter number(Number& target) {
  return [&target](const std::string& text) -> status {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), target);
    if (failed == std::errc() && end == text.data() + text.size()) return {};
    return make_error(error_code::invalid_argument, "'{}' is no number", text);
  };
}

setter flag(bool& target) {
  return [&target](const std::string& text) -> status {
    target = text == "true";
    if (target || text == "false") return {};
    return make_error(error_code::invalid_argument, "'{}' is not true or false", text);
  };
}

template <typename Text>
setter text(Text& target) {
  return [&target](const std::string& given) -> status {
    target = given;
    return {};
  };
}

template <typename Value>
setter one_of(Value& target, std::map<std::string, Value> values) {
  return [&target, values = std::move(values)](const std::string& given) -> status {
    const auto found = values.find(given);
    if (found != values.end()) {
      target = found->second;
      return {};
    }
    return make_error(error_code::invalid_argument, "'{}' is none of its values", given);
  };
}

setter only(std::string value) {
  return [value = std::move(value)](const std::string& given) -> status {
    if (given == value) return {};
    return make_error(error_code::unsupported, "only {} is there, not '{}'", value, given);
  };
}

setters connection_setters(client::remote::remote_options& options) {
  return {
      {"bootstrap.servers", [](const std::string&) { return status(); }},
      {"client.id", text(options.client_id)},
      {"connections.max.idle.ms", number(options.connections_max_idle_ms)},
      {"default.api.timeout.ms", number(options.default_api_timeout_ms)},
      {"metadata.max.age.ms", number(options.metadata_max_age_ms)},
      {"receive.buffer.bytes", number(options.receive_buffer_bytes)},
      {"reconnect.backoff.max.ms", number(options.reconnect_backoff_max_ms)},
      {"reconnect.backoff.ms", number(options.reconnect_backoff_ms)},
      {"request.timeout.ms", number(options.request_timeout_ms)},
      {"retry.backoff.ms", number(options.retry_backoff_ms)},
      {"security.protocol", only("PLAINTEXT")},
      {"send.buffer.bytes", number(options.send_buffer_bytes)},
      {"socket.connection.setup.timeout.ms", number(options.socket_connection_setup_timeout_ms)}};
}

setters producer_setters(client::producer_options& options) {
  using broker::required_acks;
  return {{"acks", one_of<required_acks>(options.acks, {{"all", required_acks::all},
                                                        {"-1", required_acks::all},
                                                        {"1", required_acks::leader},
                                                        {"0", required_acks::none}})},
          {"batch.size", number(options.batch_size)},
          {"buffer.memory", number(options.buffer_memory)},
          {"client.id", text(options.client_id)},
          {"compression.type",
           one_of<compression_type>(options.compression, {{"none", compression_type::none},
                                                          {"gzip", compression_type::gzip},
                                                          {"snappy", compression_type::snappy},
                                                          {"lz4", compression_type::lz4},
                                                          {"zstd", compression_type::zstd}})},
          {"delivery.timeout.ms", number(options.delivery_timeout_ms)},
          {"enable.idempotence", flag(options.enable_idempotence)},
          {"linger.ms", number(options.linger_ms)},
          {"max.block.ms", number(options.max_block_ms)},
          {"max.in.flight.requests.per.connection", number(options.max_in_flight)},
          {"max.request.size", number(options.max_request_size)},
          {"request.timeout.ms", number(options.request_timeout_ms)},
          {"retry.backoff.ms", number(options.retry_backoff_ms)}};
}

setters consumer_setters(client::consumer_options& options) {
  using client::offset_reset;
  return {{"auto.commit.interval.ms", number(options.auto_commit_interval_ms)},
          {"auto.offset.reset",
           one_of<offset_reset>(options.auto_offset_reset, {{"earliest", offset_reset::earliest},
                                                            {"latest", offset_reset::latest},
                                                            {"none", offset_reset::none}})},
          {"check.crcs", flag(options.check_crcs)},
          {"client.id", text(options.client_id)},
          {"enable.auto.commit", flag(options.enable_auto_commit)},
          {"fetch.max.bytes", number(options.fetch_max_bytes)},
          {"fetch.max.wait.ms", number(options.fetch_max_wait_ms)},
          {"fetch.min.bytes", number(options.fetch_min_bytes)},
          {"group.id", text(options.group_id)},
          {"group.instance.id", text(options.group_instance_id)},
          {"heartbeat.interval.ms", number(options.heartbeat_interval_ms)},
          {"isolation.level",
           one_of<isolation_level>(options.isolation,
                                   {{"read_uncommitted", isolation_level::read_uncommitted},
                                    {"read_committed", isolation_level::read_committed}})},
          {"max.partition.fetch.bytes", number(options.max_partition_fetch_bytes)},
          {"max.poll.interval.ms", number(options.max_poll_interval_ms)},
          {"session.timeout.ms", number(options.session_timeout_ms)}};
}

// What other parts of a client take is theirs.
status apply(const properties& given, const setters& own, const setters& others) {
  for (const auto& setting : given) {
    const auto found = own.find(setting.first);
    if (found == own.end()) {
      if (others.contains(setting.first)) continue;
      return make_error(error_code::invalid_argument, "there is no client setting '{}'",
                        setting.first);
    }
    const status done = found->second(setting.second);
    if (!done.ok()) {
      return make_error(error_code::invalid_argument, "{}: {}", setting.first,
                        done.failure().message);
    }
  }
  return {};
}

}  // namespace

result<properties> read_client_properties(const std::string& file) {
  if (file.empty()) return properties();
  std::ifstream source(file);
  const std::string text(std::istreambuf_iterator<char>(source), {});
  if (source) return parse_properties(text);
  return make_error(error_code::invalid_argument, "cannot read the file of client properties {}",
                    file);
}

result<properties> client_properties_of(const std::string& file,
                                        const std::vector<std::string>& settings) {
  TRY_ASSIGN(auto all, read_client_properties(file));
  for (const std::string& each : settings) {
    TRY_ASSIGN(auto setting, parse_setting(each));
    all.insert_or_assign(std::move(setting.first), std::move(setting.second));
  }
  return all;
}

status apply_connection_properties(const properties& given,
                                   client::remote::remote_options& options) {
  client::producer_options producer;
  client::consumer_options consumer;
  setters others = producer_setters(producer);
  others.merge(consumer_setters(consumer));
  return apply(given, connection_setters(options), others);
}

status apply_producer_properties(const properties& given, client::producer_options& options) {
  client::remote::remote_options connection;
  return apply(given, producer_setters(options), connection_setters(connection));
}

status apply_consumer_properties(const properties& given, client::consumer_options& options) {
  client::remote::remote_options connection;
  return apply(given, consumer_setters(options), connection_setters(connection));
}

}  // namespace ringlog::app
