#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Client quotas (KIP-13, KIP-55, KIP-124, KIP-546) as the facade speaks of them.
namespace ringlog::broker {

// Types ("user", "client-id", "ip") in order, each with a name or none for the type's default.
using quota_entity = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct client_quota {
  quota_entity entity;
  std::map<std::string, double> values;  // by name, such as producer_byte_rate
};

enum class quota_match : std::int8_t { exact = 0, type_default = 1, any = 2 };

struct quota_filter_component {
  std::string entity_type;
  quota_match match = quota_match::any;
  std::optional<std::string> name;  // with quota_match::exact only
};

struct client_quota_filter {
  std::vector<quota_filter_component> components;  // an entity has to fit all of them
  bool strict = false;                             // and to have no other types
};

struct client_quota_alteration {
  quota_entity entity;
  std::vector<std::pair<std::string, std::optional<double>>> changes;  // no value: removed
};

// What is rationed.
enum class quota_kind : std::uint8_t {
  produced_bytes,  // producer_byte_rate
  fetched_bytes,   // consumer_byte_rate
  busy_time,       // request_percentage, of one thread
};

// Whose use of it is counted.
struct client_identity {
  std::string_view user;
  std::string_view client_id;
};

}  // namespace ringlog::broker
