#include "broker/quota_admin.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "io/socket_address.h"

namespace ringlog::broker {
namespace {

constexpr std::string_view user_type = "user";
constexpr std::string_view client_type = "client-id";
constexpr std::string_view ip_type = "ip";

template <typename... Values>
error refusal(fmt::format_string<Values...> text, Values&&... values) {
  return make_error(error_code::invalid_argument, text, std::forward<Values>(values)...);
}

bool is_known(std::string_view type) {
  return type == user_type || type == client_type || type == ip_type;
}

// ---- describing

status check(const quota_filter_component& component) {
  const bool is_named = component.name.has_value();
  switch (component.match) {
    case quota_match::exact:
      if (is_named) break;
      return refusal("Request specified MATCH_TYPE_EXACT, but set match string to null.");
    case quota_match::type_default:
      if (!is_named) break;
      return refusal("Request specified MATCH_TYPE_DEFAULT, but also specified a match string.");
    case quota_match::any:
      if (!is_named) break;
      return refusal("Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.");
    default:
      return refusal("Unknown match type {}", static_cast<int>(component.match));
  }
  if (component.entity_type.empty()) return refusal("Invalid empty entity type.");
  if (is_known(component.entity_type)) return {};
  return make_error(error_code::unsupported, "Unsupported entity type {}", component.entity_type);
}

status check(const client_quota_filter& filter) {
  std::set<std::string_view> types;
  for (const quota_filter_component& component : filter.components) {
    TRY(check(component));
    if (!types.insert(component.entity_type).second) {
      return refusal("Entity type {} cannot appear more than once in the filter.",
                     component.entity_type);
    }
  }
  if (!types.contains(ip_type) || types.size() == 1) return {};
  return refusal(
      "Invalid entity filter component combination. IP filter component should not be used with "
      "user or clientId filter component.");
}

bool fits(const quota_entity& entity, const quota_filter_component& component) {
  const auto part = std::ranges::find(entity, component.entity_type,
                                      &std::pair<std::string, std::optional<std::string>>::first);
  if (part == entity.end()) return false;
  return component.match == quota_match::any || part->second == component.name;
}

bool fits(const quota_entity& entity, const client_quota_filter& filter) {
  if (filter.strict && entity.size() != filter.components.size()) return false;
  return std::ranges::all_of(filter.components,
                             [&](const auto& component) { return fits(entity, component); });
}

// ---- altering

// The largest value of a quota; none: it may be a fraction.
struct quota_definition {
  std::string_view key;
  bool is_of_ip;
  std::optional<std::int64_t> most;
  std::string_view type;
};
constexpr std::int64_t most_long = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t most_int = std::numeric_limits<std::int32_t>::max();
constexpr std::array definitions{
    quota_definition{"producer_byte_rate", false, most_long, "LONG"},
    quota_definition{"consumer_byte_rate", false, most_long, "LONG"},
    quota_definition{"request_percentage", false, std::nullopt, "DOUBLE"},
    quota_definition{"controller_mutation_rate", false, std::nullopt, "DOUBLE"},
    quota_definition{"connection_creation_rate", true, most_int, "INT"},
};

status check_value(std::string_view key, bool is_of_ip, double value) {
  const auto found = std::ranges::find(definitions, key, &quota_definition::key);
  if (found == definitions.end() || found->is_of_ip != is_of_ip) {
    return refusal("Invalid configuration key {}", key);
  }
  if (!(value > 0)) return refusal("Quota {} must be greater than 0", key);
  if (!found->most) return {};
  if (value > static_cast<double>(*found->most)) {
    return refusal("Proposed value for {} is too large for a {}.", key, found->type);
  }
  constexpr double rounding = 1e-6;
  if (std::abs(value - std::round(value)) <= rounding) return {};
  return refusal("{} cannot be a fractional value.", key);
}

status check_address(const std::string& text) {
  constexpr std::uint16_t no_port = 0;
  if (text == "localhost" || io::socket_address::of_host(text, no_port).ok()) return {};
  return refusal("{} is not a valid IP or resolvable host.", text);
}

// One name for each type, the last one given, in order.
quota_entity in_order(const quota_entity& given) {
  std::map<std::string, std::optional<std::string>> parts;
  for (const auto& [type, name] : given) parts[type] = name;
  return {parts.begin(), parts.end()};
}

status check(const quota_entity& entity) {
  if (entity.empty()) return refusal("Invalid empty client quota entity");
  bool is_of_ip = false;
  for (const auto& [type, name] : entity) {
    if (!is_known(type)) return refusal("Unhandled client quota entity type: {}", type);
    if (name && name->empty()) return refusal("Empty {} not supported", type);
    is_of_ip = is_of_ip || type == ip_type;
    if (type == ip_type && name) TRY(check_address(*name));
  }
  if (!is_of_ip || entity.size() == 1) return {};
  return refusal(
      "Invalid quota entity combination, IP entity should not be combined with User or ClientId");
}

error ignored(const quota_entity& entity) {
  std::vector<std::string> parts;
  for (const auto& [type, name] : entity) {
    parts.push_back(fmt::format("{}={}", type, name.value_or("null")));
  }
  return refusal("Ignoring duplicate entity ClientQuotaEntity(entries={{{}}})",
                 fmt::join(parts, ", "));
}

status check(const client_quota_alteration& wanted) {
  TRY(check(wanted.entity));
  const bool is_of_ip = wanted.entity.front().first == ip_type;
  std::set<std::string_view> keys;
  for (const auto& [key, value] : wanted.changes) {
    if (!keys.insert(key).second) return ignored(wanted.entity);
    if (value) TRY(check_value(key, is_of_ip, *value));
  }
  return {};
}

}  // namespace

result<std::vector<client_quota>> describe_client_quotas(const broker_services& outside,
                                                         const client_quota_filter& filter) {
  TRY(check(filter));
  std::vector<client_quota> found;
  const auto image = outside.controller.published();
  for (const auto& [entity, values] : *image->quotas) {
    if (fits(entity, filter)) found.push_back({entity, values});
  }
  return found;
}

void alter_client_quotas(const broker_services& outside,
                         std::vector<client_quota_alteration> wanted, bool validate_only,
                         reply<std::vector<std::optional<error>>> done) {
  std::map<quota_entity, std::size_t> count;
  for (client_quota_alteration& one : wanted) ++count[one.entity = in_order(one.entity)];
  std::vector<std::optional<error>> outcomes;
  std::vector<metadata::quota_change> changes;
  for (const client_quota_alteration& one : wanted) {
    const status good = count[one.entity] > 1 ? status(ignored(one.entity)) : check(one);
    outcomes.push_back(good.ok() ? std::nullopt : std::optional(good.failure()));
    if (!good.ok()) continue;
    for (const auto& [key, value] : one.changes) changes.push_back({one.entity, key, value});
  }
  if (validate_only || changes.empty()) return done(std::move(outcomes));
  outside.controller.alter_client_quotas(
      std::move(changes),
      [outcomes = std::move(outcomes), done = std::move(done)](const status& stored) mutable {
        if (!stored.ok()) return done(stored.failure());
        done(std::move(outcomes));
      });
}

}  // namespace ringlog::broker
