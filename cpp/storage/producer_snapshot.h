#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/producer_state.h"

// `.snapshot` files: the producers as of the offset in the name (Kafka: ProducerSnapshot.json,
// version 1). Big-endian:
//
//   version i16 = 1 | crc u32, CRC-32C of what follows it | count i32 | { producer_id i64 |
//   producer_epoch i16 | last_sequence i32 | last_offset i64 (-1) | offset_delta i32 |
//   timestamp i64 | coordinator_epoch i32 | transaction_start i64 (-1) }
//
// Only the last of the batches that a producer_entry remembers is kept.
namespace ringlog::storage {

byte_buffer encode_producer_snapshot(const std::vector<producer_entry>& entries);

// error_code::corrupt when the checksum or a size is wrong, unsupported for another version.
result<std::vector<producer_entry>> decode_producer_snapshot(bytes_view content,
                                                             const std::string& path);

}  // namespace ringlog::storage
