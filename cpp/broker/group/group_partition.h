#pragma once

#include <cstdint>
#include <string_view>

#include "model/types.h"

namespace ringlog::broker {

// Which partition of __consumer_offsets keeps a group: Java's String.hashCode of its name
// (Kafka: GroupCoordinatorService.partitionFor).
partition_id_t partition_of_group(std::string_view group, std::int32_t partition_count);

}  // namespace ringlog::broker
