#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "model/types.h"

// Which partition a key belongs to. Both hashes are part of Kafka's contract: clients and brokers
// of every language must agree on them.
namespace ringlog::model {

// MurmurHash2, 32 bits, with Kafka's seed (Kafka: Utils.murmur2).
std::int32_t murmur2(bytes_view key);

// Kafka: Utils.toPositive. Drops the sign bit, so that -2^31 becomes 0.
constexpr std::int32_t to_positive(std::int32_t hash) { return hash & 0x7fffffff; }

// The partition of a record with this serialized key (Kafka: BuiltInPartitioner.partitionForKey).
inline partition_id_t partition_for_key(bytes_view key, std::int32_t partition_count) {
  return partition_id_t(to_positive(murmur2(key)) % partition_count);
}

// Java's String.hashCode of UTF-8 text: 31-fold sums over its UTF-16 units. What is not UTF-8
// counts as U+FFFD, as Java decodes it.
std::int32_t java_string_hash(std::string_view text);

// The partition of __consumer_offsets that keeps a group, or of __transaction_state that keeps a
// transactional id (Kafka: GroupMetadataManager.partitionFor, Utils.abs).
partition_id_t coordinator_partition(std::string_view id, std::int32_t partition_count);

}  // namespace ringlog::model
