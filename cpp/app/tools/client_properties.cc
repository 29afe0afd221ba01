#include "app/tools/client_properties.h"

#include <charconv>
#include <functional>
#include <map>

#include "app/tools/tool.h"

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

status apply(const std::vector<std::string>& properties, const setters& known) {
  for (const std::string& property : properties) {
    TRY_ASSIGN(const auto setting, parse_setting(property));
    if (setting.first == "bootstrap.servers") continue;
    const auto found = known.find(setting.first);
    if (found == known.end()) {
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

status apply_producer_properties(const std::vector<std::string>& properties,
                                 client::producer_options& options) {
  using broker::required_acks;
  return apply(properties,
               {{"acks", one_of<required_acks>(options.acks, {{"all", required_acks::all},
                                                              {"-1", required_acks::all},
                                                              {"1", required_acks::leader},
                                                              {"0", required_acks::none}})},
                {"batch.size", number(options.batch_size)},
                {"buffer.memory", number(options.buffer_memory)},
                {"client.id", text(options.client_id)},
                {"compression.type", one_of<compression_type>(options.compression,
                                                              {{"none", compression_type::none},
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
                {"retry.backoff.ms", number(options.retry_backoff_ms)}});
}

status apply_consumer_properties(const std::vector<std::string>& properties,
                                 client::consumer_options& options) {
  using client::offset_reset;
  return apply(properties,
               {{"auto.commit.interval.ms", number(options.auto_commit_interval_ms)},
                {"auto.offset.reset", one_of<offset_reset>(options.auto_offset_reset,
                                                           {{"earliest", offset_reset::earliest},
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
                {"session.timeout.ms", number(options.session_timeout_ms)}});
}

}  // namespace ringlog::app
