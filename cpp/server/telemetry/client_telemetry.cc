#include "server/telemetry/client_telemetry.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/crc32c.h"
#include "base/parse.h"
#include "codec/codec.h"
#include "model/config_def.h"

namespace ringlog::server {
namespace {

using model::kafka_error;

constexpr milliseconds default_interval{300'000};
constexpr std::string_view all_metrics = "*";

std::string value_of(const std::vector<broker::config_entry>& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, &broker::config_entry::name);
  return found == entries.end() ? "" : found->value.value_or("");
}

// All patterns of a subscription have to fit. What a client does not say of itself is empty.
bool fits(const std::string& match, const uuid& client, const client_telemetry::description& who) {
  for (const std::string& one : model::split_list(match)) {
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) return false;
    const std::string name = one.substr(0, equals);
    std::string value;
    if (name == "client_id") value = who.client_id;
    if (name == "client_source_address") value = who.address;
    if (name == "client_instance_id") value = client.to_string();
    const RE2 pattern(one.substr(equals + 1), RE2::Quiet);
    if (!pattern.ok() || !RE2::FullMatch(value, pattern)) return false;
  }
  return true;
}

client_telemetry::subscription choose(broker::broker& core, const uuid& client,
                                      const client_telemetry::description& who) {
  std::set<std::string> metrics;
  client_telemetry::subscription chosen{client, 0, default_interval, {}};
  bool has_any = false;
  constexpr auto type = broker::resource_type::client_metrics;
  for (const std::string& name : core.list_configured(type)) {
    const auto entries = core.describe_configs({type, name});
    if (!entries.ok() || !fits(value_of(*entries, "match"), client, who)) continue;
    for (std::string& one : model::split_list(value_of(*entries, "metrics"))) {
      metrics.insert(one == all_metrics ? "" : std::move(one));
    }
    const milliseconds interval(parse_integer<std::int64_t>(value_of(*entries, "interval.ms"))
                                    .value_or(default_interval.count()));
    chosen.interval = has_any ? std::min(chosen.interval, interval) : interval;
    has_any = true;
  }
  if (metrics.contains("")) metrics = {""};
  chosen.metrics.assign(metrics.begin(), metrics.end());
  // Changes with what is wanted, and is the same after a restart.
  std::string text = fmt::format("{} {}", client.to_string(), chosen.interval.count());
  for (const std::string& one : chosen.metrics) text += "\n" + one;
  chosen.id = static_cast<std::int32_t>(crc32c(as_bytes(text)));
  return chosen;
}

bool is_over(const std::optional<monotonic_time>& since, monotonic_time now,
             milliseconds interval) {
  return !since || now - *since >= interval;
}

result<std::vector<client_sample>> unpack(compression_type type, bytes_view packed) {
  if (type == compression_type::none) return parse_otlp_metrics(packed);
  byte_buffer bytes;
  TRY(codec::find_codec(type)->decompress(packed, limits::unpacked_telemetry_bytes_max, bytes));
  return parse_otlp_metrics(bytes);
}

}  // namespace

void client_telemetry::forget_silent() {
  const monotonic_time now = time_.now();
  std::erase_if(instances_, [&](const auto& one) {
    const bool is_silent = now - one.second.last_heard > 3 * one.second.subscribed.interval;
    if (is_silent) bytes_ -= one.second.bytes;
    return is_silent;
  });
}

client_telemetry::instance* client_telemetry::find_or_make(broker::broker& core, const uuid& client,
                                                           const description& who) {
  subscription wanted = choose(core, client, who);
  auto found = instances_.find(client);
  if (found == instances_.end()) {
    forget_silent();
    if (instances_.size() >= limits::telemetry_clients_max) return nullptr;
    found = instances_.emplace(client, instance()).first;
  }
  instance& known = found->second;
  if (known.subscribed.id != wanted.id) {
    known.last_asked.reset();
    known.last_pushed.reset();
  }
  known.subscribed = std::move(wanted);
  known.client_id = who.client_id;
  known.last_heard = time_.now();
  return &known;
}

std::optional<client_telemetry::subscription> client_telemetry::subscribe(broker::broker& core,
                                                                          const uuid& client,
                                                                          const description& who) {
  const std::lock_guard lock(mutex_);
  const uuid id = client.is_zero() ? uuid::make_random(random_) : client;
  instance* const known = find_or_make(core, id, who);
  if (known == nullptr) return std::nullopt;
  const monotonic_time now = time_.now();
  const milliseconds interval = known->subscribed.interval;
  if (!is_over(std::max(known->last_asked, known->last_pushed), now, interval)) return std::nullopt;
  known->last_asked = now;
  return known->subscribed;
}

kafka_error client_telemetry::take(broker::broker& core, const push& pushed,
                                   const description& who) {
  if (pushed.client.is_zero()) return kafka_error::invalid_request;
  {
    const std::lock_guard lock(mutex_);
    const kafka_error fault = check(core, pushed, who);
    if (fault != kafka_error::none) return fault;
  }
  if (pushed.metrics.empty()) return kafka_error::none;
  auto samples = unpack(pushed.compression, pushed.metrics);
  if (!samples.ok()) return kafka_error::invalid_record;
  const std::lock_guard lock(mutex_);
  const auto known = instances_.find(pushed.client);
  if (known != instances_.end()) keep(known->second, std::move(*samples));
  return kafka_error::none;
}

// The first push after a question comes at a random time within the interval, so that clients do
// not all come at once.
kafka_error client_telemetry::check(broker::broker& core, const push& pushed,
                                    const description& who) {
  instance* const known = find_or_make(core, pushed.client, who);
  if (known == nullptr) return kafka_error::throttling_quota_exceeded;
  if (std::exchange(known->is_terminating, pushed.is_last)) return kafka_error::invalid_request;
  const monotonic_time now = time_.now();
  const bool is_first = known->last_asked > known->last_pushed;
  const bool is_due = is_first || is_over(known->last_pushed, now, known->subscribed.interval);
  if (is_due) known->last_pushed = now;
  if (!is_due && !pushed.is_last) return kafka_error::throttling_quota_exceeded;
  if (pushed.subscription_id != known->subscribed.id) return kafka_error::unknown_subscription_id;
  if (pushed.compression != compression_type::none &&
      codec::find_codec(pushed.compression) == nullptr) {
    return kafka_error::unsupported_compression_type;
  }
  const auto bytes_max = static_cast<std::size_t>(limits::telemetry_bytes_max);
  return pushed.metrics.size() > bytes_max ? kafka_error::telemetry_too_large : kafka_error::none;
}

void client_telemetry::keep(instance& of, std::vector<client_sample> samples) {
  for (client_sample& one : samples) {
    auto key = std::pair(std::move(one.name), std::move(one.labels));
    auto place = of.values.find(key);
    if (place == of.values.end()) {
      std::size_t bytes = key.first.size();
      for (const auto& [label, value] : key.second) bytes += label.size() + value.size();
      if (bytes_ + bytes > limits::kept_telemetry_bytes_max) continue;
      bytes_ += bytes;
      of.bytes += bytes;
      place = of.values.emplace(std::move(key), 0).first;
    }
    place->second = one.is_delta ? place->second + one.value : one.value;
  }
}

std::vector<client_telemetry::measured> client_telemetry::all() {
  const std::lock_guard lock(mutex_);
  forget_silent();
  std::vector<measured> shown;
  for (const auto& [client, known] : instances_) {
    measured& one = shown.emplace_back();
    one.client = client;
    one.client_id = known.client_id;
    for (const auto& [key, value] : known.values) {
      one.samples.push_back({key.first, key.second, value});
    }
  }
  return shown;
}

}  // namespace ringlog::server
