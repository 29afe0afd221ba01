#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash_map.h"
#include "broker/broker.h"
#include "server/call.h"

// What several handlers translate.
namespace ringlog::server::handlers {

// What may be done to a resource when everything may (there is no authorizer), as the bits of
// Kafka's AclOperation; `not_asked_for` when the request did not ask for it.
namespace authorized_operations {
inline constexpr std::int32_t not_asked_for = INT32_MIN;
inline constexpr std::int32_t topic = 3576;
inline constexpr std::int32_t group = 3400;
inline constexpr std::int32_t cluster = 8096;
}  // namespace authorized_operations

// Makes an answer for each element asked for and visits both. The answers stay where they are, so
// that replies can fill them in later.
template <typename Asked, typename Answered, typename Visit>
void pair_up(const std::vector<Asked>& asked, std::vector<Answered>& answered, Visit visit) {
  answered.resize(asked.size());
  for (std::size_t i = 0; i < asked.size(); ++i) visit(asked[i], answered[i]);
}

// What stands in an answer until its reply comes.
inline constexpr std::int16_t not_answered = code_of(model::kafka_error::unknown_server_error);

// Elements of a request that have the same name are answered once, where the first one stands.
template <typename Asked>
struct named_once {
  const Asked* first;
  std::size_t count = 1;
};

template <typename Asked>
std::vector<named_once<Asked>> once_by_name(const std::vector<Asked>& all) {
  std::vector<named_once<Asked>> names;
  hash_map<std::string_view, std::size_t> places;
  for (const Asked& one : all) {
    const auto [known, is_new] = places.try_emplace(one.name, names.size());
    if (is_new) {
      names.push_back({&one});
    } else {
      ++names[known->second].count;
    }
  }
  return names;
}

inline error named_twice() { return {error_code::invalid_argument, "Duplicate topic name."}; }

// The outcome of what was asked, where a sentence says it besides the number.
template <typename T, typename Answered>
void tell(const result<T>& outcome, Answered& target) {
  target.error_code = code_of(outcome);
  target.error_message = message_of(outcome);
}

template <typename Answered>
void refuse(Answered& target, const error& why) {
  tell(status(why), target);
}

// Where call_base::has_room_for says no.
inline error no_room_to_show() {
  return make_error(error_code::invalid_argument,
                    "the answer would have more than {} bytes: ask for less at once",
                    limits::shown_bytes_max);
}

inline constexpr const char* no_authorizer = "No Authorizer is configured.";

inline constexpr const char* partition_not_here = "This server does not host this topic-partition.";

inline std::vector<std::int32_t> numbers_of(const std::vector<node_id_t>& nodes) {
  std::vector<std::int32_t> numbers;
  for (const node_id_t node : nodes) numbers.push_back(node.value());
  return numbers;
}

inline std::vector<node_id_t> nodes_of(const std::vector<std::int32_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

inline std::optional<std::string> to_text(const std::optional<std::string_view>& given) {
  if (!given) return std::nullopt;
  return std::string(*given);
}

struct shown_broker {
  std::int32_t id;
  std::string host;
  std::int32_t port;
};

// The brokers that there are for this client.
inline std::vector<shown_broker> brokers_of(const call_base& call) {
  const advertised_address& mine = call.from().broker_address;
  const auto& nodes = call.shared().nodes;
  if (nodes == nullptr) {
    return {{call.core().describe_cluster().node.value(), mine.host, mine.port}};
  }
  std::vector<shown_broker> all;
  for (const auto& [id, told] : nodes->addresses()) {
    all.push_back({id.value(), told.host.empty() ? mine.host : told.host, told.port});
  }
  return all;
}

// None: it does not listen yet.
inline std::optional<shown_broker> find_broker(const call_base& call, node_id_t id) {
  for (shown_broker& one : brokers_of(call)) {
    if (one.id == id.value()) return std::move(one);
  }
  return std::nullopt;
}

inline topic_partition make_partition(std::string_view topic, std::int32_t partition) {
  return {std::string(topic), partition_id_t(partition)};
}

// Requests name topics, later versions by their ids (KIP-516). None: no topic has that id.
inline std::optional<std::string> topic_name_of(broker::broker& core, std::string_view name,
                                                const uuid& id) {
  if (!name.empty() || id.is_zero()) return std::string(name);
  const auto found = core.find_topic(id);
  if (!found) return std::nullopt;
  return found->name;
}

template <typename Answered>
void show_partition(const broker::partition_description& source, Answered& shown) {
  shown.partition_index = source.partition.value();
  shown.leader_id = source.leader.value();
  shown.leader_epoch = source.leader_epoch.value();
  shown.replica_nodes = numbers_of(source.replicas);
  shown.isr_nodes = numbers_of(source.in_sync_replicas);
}

// Which resource is asked about; the answer says so, too.
template <typename Asked, typename Answered>
broker::config_resource name_resource(const Asked& asked, Answered& target) {
  target.resource_type = asked.resource_type;
  target.resource_name = asked.resource_name;
  return {static_cast<broker::resource_type>(asked.resource_type), target.resource_name};
}

// 0: there is no such topic.
inline std::int32_t partition_count(broker::broker& core, std::string_view topic) {
  const auto known = core.find_topic(topic);
  return known ? static_cast<std::int32_t>(known->partitions.size()) : 0;
}

// Of calls in which members of consumer groups give their epochs.
template <typename T>
std::int16_t code_of_member(const result<T>& outcome) {
  if (outcome.ok()) return 0;
  switch (outcome.code()) {
    case broker::consumer_failures::fenced_member_epoch:
      return code_of(model::kafka_error::fenced_member_epoch);
    case broker::consumer_failures::unreleased_instance_id:
      return code_of(model::kafka_error::unreleased_instance_id);
    case broker::consumer_failures::unsupported_assignor:
      return code_of(model::kafka_error::unsupported_assignor);
    case broker::consumer_failures::invalid_regular_expression:
      return code_of(model::kafka_error::invalid_regular_expression);
    default:
      return code_of(outcome);
  }
}

// Of commits and look-ups of offsets.
template <typename T>
std::int16_t code_of_offsets(const result<T>& outcome) {
  if (!outcome.ok() && outcome.code() == broker::consumer_failures::stale_member_epoch) {
    return code_of(model::kafka_error::stale_member_epoch);
  }
  return code_of(outcome);
}

inline isolation_level to_isolation(std::int8_t number) {
  return number == 1 ? isolation_level::read_committed : isolation_level::read_uncommitted;
}

}  // namespace ringlog::server::handlers
