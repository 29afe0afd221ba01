#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "broker/types.h"

namespace ringlog::broker {

// Where a member stands on its way to its target; numbers as stored (Kafka: MemberState).
enum class consumer_member_state : std::int8_t {
  stable = 0,      // has what the target says
  unrevoked = 1,   // is to give partitions back
  unreleased = 2,  // waits for partitions that others have not given back
  unknown = 127,   // a state that a later Kafka stored
};

// Partitions that a member has, each with the member's epoch when it got it (KIP-1251).
using held_partitions = std::map<uuid, std::map<std::int32_t, std::int32_t>>;

// What a member that uses the classic protocol said in JoinGroup.
struct classic_part {
  std::int32_t session_timeout_ms = 0;
  std::vector<join_protocol> protocols;  // in order of preference; never none
  bool operator==(const classic_part&) const = default;
};

// One member of a consumer group as its records say (Kafka: ConsumerGroupMember).
struct consumer_member {
  std::string id;
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  std::string client_id;
  std::string client_host;
  std::set<std::string> topics;
  std::optional<std::string> expression;  // of topic names
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::string> assignor;
  std::optional<classic_part> classic;

  std::int32_t epoch = joining_epoch;
  std::int32_t previous_epoch = joining_epoch;
  consumer_member_state state = consumer_member_state::stable;
  held_partitions assigned;
  held_partitions to_revoke;  // it still has these, too

  bool operator==(const consumer_member&) const = default;

  bool is_classic() const { return classic.has_value(); }
  bool is_reconciled_to(std::int32_t target_epoch) const {
    return state == consumer_member_state::stable && epoch == target_epoch;
  }
  void move_to_epoch(std::int32_t next) {
    previous_epoch = epoch;
    epoch = next;
  }
  bool has_same_subscription(const consumer_member& other) const {
    return topics == other.topics && expression == other.expression;
  }
  bool has_same_metadata(const consumer_member& other) const {
    return has_same_subscription(other) && instance == other.instance && rack == other.rack &&
           client_id == other.client_id && client_host == other.client_host &&
           rebalance_timeout_ms == other.rebalance_timeout_ms && assignor == other.assignor &&
           classic == other.classic;
  }
};

inline bool contains(const held_partitions& held, const uuid& topic, std::int32_t partition) {
  const auto found = held.find(topic);
  return found != held.end() && found->second.contains(partition);
}

inline bool contains(const partitions_by_topic& partitions, const uuid& topic,
                     std::int32_t partition) {
  const auto found = partitions.find(topic);
  return found != partitions.end() && found->second.contains(partition);
}

inline partitions_by_topic without_epochs(const held_partitions& held) {
  partitions_by_topic plain;
  for (const auto& [topic, partitions] : held) {
    for (const auto& [partition, epoch] : partitions) plain[topic].insert(partition);
  }
  return plain;
}

}  // namespace ringlog::broker
