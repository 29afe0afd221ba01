#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/types.h"

namespace ringlog::broker {

struct assignor_member {
  std::string id;
  std::optional<std::string> instance;
  std::set<uuid> topics;       // subscribed to; all of them are in assignor_input
  partitions_by_topic target;  // so far
};

struct assignor_input {
  std::vector<assignor_member> members;  // by id
  std::map<uuid, std::int32_t> partition_counts;
};

// By member id; every partition of a topic that somebody is subscribed to goes to one of them.
using group_assignment = std::map<std::string, partitions_by_topic>;

// The assignors of the group coordinator (KIP-848): `uniform` keeps what members have and spreads
// the rest evenly; `range` gives each member one run of each topic, the same for topics of equal
// size, static members first. Pure functions; the same input gives the same answer.
using assignor = group_assignment (*)(const assignor_input&);

group_assignment assign_uniform(const assignor_input& input);
group_assignment assign_range(const assignor_input& input);

// By its name in group.consumer.assignors; null when there is none.
assignor find_assignor(std::string_view name);

}  // namespace ringlog::broker
