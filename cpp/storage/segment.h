#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/record_batch.h"
#include "model/types.h"
#include "storage/log_config.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace ringlog::storage {

struct segment_indexes {
  explicit segment_indexes(offset_t base) : offsets(base), times(base) {}
  offset_index offsets;
  time_index times;
  transaction_index transactions;
};

// A piece of a log: the batches from one base offset on, in one file, with its indexes (Kafka:
// LogSegment). Made by the log or its loader and kept by shared pointers, so that a reader may
// finish on a segment that the log has dropped. The last one of a log takes appends; the others
// are sealed and never change, but for truncation. Members are guarded by the log's mutex; what is
// const, and the file's bytes below stored_bytes, may be read by any thread.
struct segment {
  segment(std::string directory, offset_t base, std::int64_t created_ms);

  const std::uint64_t id;  // unique in the process: the key of segment_cache
  const std::string directory;
  const offset_t base;

  std::int64_t bytes = 0;         // appended
  std::int64_t stored_bytes = 0;  // of them in the file
  offset_t end{0};                // past the last batch appended
  std::int64_t created_ms = 0;
  std::int64_t roll_jitter_ms = 0;
  std::optional<std::int64_t> first_timestamp;  // of its first batch; rolls by time count from it
  timestamp_offset max_timestamp;               // so far, with the last offset of its batch
  std::int64_t bytes_since_index_entry = 0;

  // Of the active segment and until the files are written; then null, and segment_cache has them.
  std::shared_ptr<segment_indexes> indexes;
  std::int64_t reserved_bytes = 0;  // space on disk; the flusher's
  bool on_disk = false;             // the .log file is there
  bool has_aborted = false;         // the transaction index is not empty

  std::string path(std::string_view suffix) const;

  // Success when a batch of a file can stand next: offsets go on and stay in reach of the indexes.
  status check_next(const model::batch_view& batch) const;

  // Forgets what stands at and above `position`, where a batch of offset `end` or more begins.
  void cut(offset_t new_end, std::int64_t position);

  // Takes note of a batch that stands at `position`, in sizes, timestamps and indexes. Offset and
  // time index get an entry each `index_interval_bytes`.
  void note_batch(const model::batch_header_view& batch, std::int64_t index_interval_bytes);

  // Takes note of a transaction whose abort marker the last batch was.
  void note_aborted(const aborted_range& aborted);

  // The time index's last entry: written when the segment is sealed or closed.
  void complete_time_index() { indexes->times.maybe_append(max_timestamp); }
};

// An append that may need a new segment.
struct roll_question {
  std::int64_t append_bytes;
  std::int64_t max_timestamp;
  offset_t last_offset;
  std::int64_t now_ms;
};

// Kafka's rule (LogSegment.shouldRoll): size, age of the first record, full indexes, offsets too
// far from the base.
bool should_roll(const segment& active, const log_config& config, const roll_question& append);

}  // namespace ringlog::storage
