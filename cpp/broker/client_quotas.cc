#include "broker/client_quotas.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace ringlog::broker {
namespace {

constexpr std::array<std::string_view, 3> key_of_kind{"producer_byte_rate", "consumer_byte_rate",
                                                      "request_percentage"};

// A user or an id in a key: one that is named, any, or none.
std::string part_of(std::string_view name) { return fmt::format("={}", name); }
constexpr std::string_view any_part = "*";
constexpr std::string_view no_part = "";

std::string key_of(std::string_view user, std::string_view client) {
  std::string key(user);
  key += '\0';
  key += client;
  return key;
}

// As an entity of the metadata says it.
std::string part_of(const quota_entity& entity, std::string_view type) {
  for (const auto& [one, name] : entity) {
    if (one == type) return name ? part_of(*name) : std::string(any_part);
  }
  return std::string(no_part);
}

bool has_type(const quota_entity& entity, std::string_view type) {
  return std::ranges::any_of(entity, [&](const auto& part) { return part.first == type; });
}

// Both are shares of a second: the quota in hundredths.
constexpr double hundredths = 100;

}  // namespace

client_quotas::client_quotas(const clock& time, const model::config_values& settings)
    : time_(time),
      windows_(static_cast<std::size_t>(settings.number("quota.window.num"))),
      window_(std::chrono::seconds(settings.number("quota.window.size.seconds"))) {}

void client_quotas::take_over(const metadata::image& image) {
  const std::lock_guard lock(mutex_);
  for (std::size_t kind = 0; kind < bounds_.size(); ++kind) {
    bounds_[kind].clear();
    for (const auto& [entity, values] : *image.quotas) {
      const auto set = values.find(std::string(key_of_kind[kind]));
      if (set == values.end() || has_type(entity, "ip")) continue;
      bounds_[kind][key_of(part_of(entity, "user"), part_of(entity, "client-id"))] = set->second;
    }
    has_any_[kind] = !bounds_[kind].empty();
  }
}

std::optional<client_quotas::rule> client_quotas::find(quota_kind kind,
                                                       const client_identity& who) const {
  const auto& bounds = bounds_[static_cast<std::size_t>(kind)];
  const std::string user = part_of(who.user);
  const std::string client = part_of(who.client_id);
  struct level {
    std::string_view user;
    std::string_view client;
  };
  const std::array<level, 8> levels{{{user, client},
                                     {user, any_part},
                                     {user, no_part},
                                     {any_part, client},
                                     {any_part, any_part},
                                     {any_part, no_part},
                                     {no_part, client},
                                     {no_part, any_part}}};
  for (const level& one : levels) {
    const auto found = bounds.find(key_of(one.user, one.client));
    if (found == bounds.end()) continue;
    const std::string counted = key_of(one.user.empty() ? no_part : std::string_view(user),
                                       one.client.empty() ? no_part : std::string_view(client));
    return rule{found->second, fmt::format("{}{}", static_cast<int>(kind), counted)};
  }
  return std::nullopt;
}

milliseconds client_quotas::now() const {
  return std::chrono::duration_cast<milliseconds>(time_.now().since_start);
}

usage_rate& client_quotas::usage_of(const std::string& counted_as, milliseconds now) {
  if (usages_.size() >= limits::counted_clients_max && !usages_.contains(counted_as)) {
    const milliseconds age_max = static_cast<std::int64_t>(windows_) * window_;
    boost::unordered::erase_if(
        usages_, [&](const auto& one) { return now - one.second.last_used() >= age_max; });
    if (usages_.size() >= limits::counted_clients_max) usages_.clear();
  }
  return usages_.try_emplace(counted_as, windows_, window_).first->second;
}

milliseconds client_quotas::charge(quota_kind kind, const client_identity& who, double amount) {
  if (!has_any(kind)) return milliseconds(0);
  const std::lock_guard lock(mutex_);
  const auto found = find(kind, who);
  if (!found) return milliseconds(0);
  const bool is_time = kind == quota_kind::busy_time;
  const milliseconds time = now();
  usage_rate& usage = usage_of(found->counted_as, time);
  usage.add(time, is_time ? amount * hundredths : amount);
  const usage_rate::measurement used = usage.measure(time);
  if (used.per_second <= found->per_second) return milliseconds(0);
  const double beyond = (used.per_second - found->per_second) / found->per_second;
  const double pause_ms = beyond * static_cast<double>(used.over.count());
  const milliseconds pause_max = is_time ? window_ : milliseconds(limits::client_pause_ms_max);
  return milliseconds(
      static_cast<std::int64_t>(std::min(pause_ms + 0.5, static_cast<double>(pause_max.count()))));
}

void client_quotas::refund(quota_kind kind, const client_identity& who, double amount) {
  if (!has_any(kind)) return;
  const std::lock_guard lock(mutex_);
  const auto found = find(kind, who);
  if (!found) return;
  const milliseconds time = now();
  usage_of(found->counted_as, time).add(time, -amount);
}

double client_quotas::most_at_once(quota_kind kind, const client_identity& who) const {
  constexpr double unlimited = std::numeric_limits<double>::infinity();
  if (!has_any(kind)) return unlimited;
  const std::lock_guard lock(mutex_);
  const auto found = find(kind, who);
  if (!found) return unlimited;
  const double seconds = std::chrono::duration<double>(window_).count();
  return found->per_second * static_cast<double>(windows_ - 1) * seconds;
}

}  // namespace ringlog::broker
