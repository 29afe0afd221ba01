#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/types.h"

// The partition assignors that a group's leader runs (classic protocol, eager rebalancing).
namespace ringlog::client {

struct assignor_member {
  std::string member;
  std::optional<std::string> instance;  // static members keep their place in the order by it
  std::vector<std::string> topics;
};

using partition_counts =
    std::map<std::string, std::int32_t>;  // topics that do not exist are absent
using assignments = std::map<std::string, std::vector<topic_partition>>;  // by member id

// Every topic by itself: members in order get consecutive ranges, the first ones one partition
// more where it does not divide evenly (Kafka: RangeAssignor).
assignments assign_range(const std::vector<assignor_member>& members,
                         const partition_counts& topics);

// All partitions of all topics, dealt out one by one in a circle, past members that are not
// subscribed (Kafka: RoundRobinAssignor).
assignments assign_round_robin(const std::vector<assignor_member>& members,
                               const partition_counts& topics);

// By protocol name: "range" or "roundrobin".
result<assignments> assign(std::string_view assignor, const std::vector<assignor_member>& members,
                           const partition_counts& topics);

}  // namespace ringlog::client
