#pragma once

#include <cstdint>

// Every limit of the library by name. Sizes in bytes unless the name says otherwise.
namespace ringlog::limits {

inline constexpr std::int64_t KiB = 1024;
inline constexpr std::int64_t MiB = 1024 * KiB;

// Memory of one node (one open directory).
inline constexpr std::int64_t unsent_records_bytes_max = 32 * MiB;
inline constexpr std::int64_t tail_bytes_max = 64 * MiB;
inline constexpr std::int64_t fetch_answer_bytes_max = 64 * MiB;
inline constexpr std::int64_t open_segment_files_max = 4096;  // and half of what the process may
inline constexpr std::size_t single_syncs_max = 32;  // more are done as one of the file system

inline constexpr std::int64_t index_cache_bytes_max = 64 * MiB;

// The journal of a directory.
inline constexpr std::int64_t journal_bytes_max = 256 * MiB;
inline constexpr std::size_t journal_block_bytes_max = 256 * KiB;
inline constexpr std::size_t journal_blocks_in_flight_max = 16;
inline constexpr std::int64_t journal_checkpoint_bytes_max = 256 * MiB;

// Records and batches.
inline constexpr std::int64_t batch_bytes_max = 1024 * MiB;
inline constexpr std::int64_t decompressed_batch_bytes_max = 256 * MiB;
inline constexpr std::int64_t decompression_ratio_max = 10'000;
inline constexpr std::int64_t decompressed_bytes_of_any_ratio = 16 * MiB;
inline constexpr std::int64_t record_headers_max = 1'000'000;

// Input and output.
inline constexpr std::int64_t io_ring_entries = 256;  // operations with the kernel at a time
inline constexpr std::size_t io_pool_threads = 2;
inline constexpr std::size_t aside_threads_max = 4;  // of an engine, for what may block
inline constexpr std::int64_t io_retries_max = 100;  // of one interrupted system call in a row

// Nodes.
inline constexpr std::int64_t node_linger_ms = 3'000;  // from the last client's end to the close
inline constexpr std::int64_t node_open_wait_ms_max = 60'000;
inline constexpr std::int64_t node_close_wait_ms_max = 60'000;

// Metadata.
inline constexpr std::int64_t topic_partitions_max = 100'000;
inline constexpr std::int64_t metadata_batch_bytes_max = 1 * MiB;
inline constexpr std::int64_t metadata_snapshot_bytes_max = 1024 * MiB;

// Names.
inline constexpr std::int64_t topic_name_bytes_max = 249;  // Kafka: Topic.MAX_NAME_LENGTH

// Idempotent producers: batches remembered per producer and partition
// (Kafka: ProducerStateEntry.NUM_BATCHES_TO_RETAIN).
inline constexpr std::int64_t producer_batches_remembered = 5;

// Files read whole.
inline constexpr std::int64_t checkpoint_file_bytes_max = 64 * MiB;
inline constexpr std::int64_t settings_bytes_max = 1 * MiB;
inline constexpr std::int64_t index_file_bytes_max = 2048 * MiB;
inline constexpr std::int64_t snapshot_file_bytes_max = 1024 * MiB;

}  // namespace ringlog::limits
