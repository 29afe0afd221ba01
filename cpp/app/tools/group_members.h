#pragma once

#include <map>
#include <vector>

#include "app/tools/cluster.h"

namespace ringlog::app {

// What the members of a consumer group were assigned; empty for other protocols.
std::map<topic_partition, const broker::described_member*> owners_of(
    const broker::described_group& group);

std::vector<topic_partition> assigned_to(const broker::described_member& member);

}  // namespace ringlog::app
