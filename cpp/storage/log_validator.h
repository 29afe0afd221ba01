#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/record_batch.h"
#include "storage/log_config.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// Batches that a log may take: checked, in the codec that the topic wants, back to back.
struct validated_batches {
  byte_buffer recoded;             // empty when the bytes stay as they came
  std::vector<std::size_t> sizes;  // of the batches, in order

  std::size_t bytes() const;
};

// What a leader checks before it assigns offsets (Kafka: UnifiedLog.analyzeAndValidateRecords,
// LogValidator): form, checksum, size, codec, timestamps, keys for compacted topics, and for
// batches of clients everything that validation_level::produced means. Any thread, no state.
result<validated_batches> validate_batches(bytes_view batches, const log_config& config,
                                           const append_options& options, std::int64_t now_ms);

}  // namespace ringlog::storage
