#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/types.h"

// What consumers of a classic group tell each other through the coordinator, which does not look
// into it (Kafka: ConsumerProtocol; ConsumerProtocolSubscription, ConsumerProtocolAssignment).
namespace ringlog::client {

byte_buffer encode_subscription(const std::vector<std::string>& topics);
result<std::vector<std::string>> decode_subscription(bytes_view bytes);

byte_buffer encode_assignment(const std::vector<topic_partition>& partitions);

// No bytes at all mean no partitions.
result<std::vector<topic_partition>> decode_assignment(bytes_view bytes);

}  // namespace ringlog::client
