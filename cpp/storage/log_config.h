#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "base/limits.h"
#include "model/types.h"

namespace ringlog::storage {

// When an append is acknowledged (ringlog.durability).
enum class durability : std::uint8_t {
  fsync,       // on stable storage: it survives a power cut
  page_cache,  // given to the kernel: it survives the end of the process
};

// The topic configs that act inside a log, in their native types; names and defaults are Kafka's
// (TopicConfig, LogConfig). Filled by the broker from topic and broker configs. -1 means no limit
// for retention.
struct log_config {
  bool cleanup_delete = true;    // cleanup.policy contains "delete"
  bool cleanup_compact = false;  // cleanup.policy contains "compact"

  std::int64_t segment_bytes = 1024 * limits::MiB;
  std::int64_t segment_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t segment_jitter_ms = 0;
  std::int64_t segment_index_bytes = 10 * limits::MiB;
  std::int64_t index_interval_bytes = 4096;

  std::int64_t retention_bytes = -1;
  std::int64_t retention_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t file_delete_delay_ms = 60'000;

  std::int64_t message_bytes_max = 1'048'588;  // max.message.bytes: a batch with its header
  timestamp_type message_timestamp_type = timestamp_type::create_time;
  std::int64_t message_timestamp_before_ms_max = std::numeric_limits<std::int64_t>::max();
  std::int64_t message_timestamp_after_ms_max = 3'600'000;

  // compression.type: none here means "producer", keep what the batch came with.
  std::optional<compression_type> compression;
  int compression_gzip_level = -1;
  int compression_lz4_level = 9;
  int compression_zstd_level = 3;

  durability promise = durability::fsync;
  // With page_cache: the log is synced when so many offsets are not, or after so long. An append
  // that makes it so many is acknowledged after the sync, as in Kafka.
  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();
  std::int64_t flush_ms = std::numeric_limits<std::int64_t>::max();

  std::int64_t producer_id_expiration_ms = 86'400'000;  // producer.id.expiration.ms

  bool operator==(const log_config&) const = default;
};

}  // namespace ringlog::storage
