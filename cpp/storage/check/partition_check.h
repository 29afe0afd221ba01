#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/uuid.h"
#include "io/file.h"
#include "model/record_batch.h"
#include "storage/check/check_report.h"

namespace ringlog::storage {

// Sees each good batch of a partition in order, with its records decompressed. A failure says
// what is wrong in them.
using batch_visitor = std::function<status(const model::batch_view&, bytes_view records)>;

struct partition_request {
  topic_partition name;
  std::string directory;
  bool clean_shutdown = false;
  bool compacted = false;  // offsets may be missing
  offset_t log_start{0};   // from the checkpoints, as is
  offset_t recovery_point{0};
  offset_t acknowledged{0};   // below it everything was on disk when it was acknowledged
  bool journal_open = false;  // batches may be missing at the end: the next open writes them
  batch_visitor visit = {};   // may be empty
};

// What a partition holds.
struct checked_partition {
  topic_partition name;
  std::string directory;
  std::optional<uuid> topic_id = {};
  std::int64_t segments = 0;
  std::int64_t batches = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;  // of the .log files
  offset_t log_start{0};   // of the checkpoint or of the first segment, whichever is larger
  offset_t log_end{0};
};

// Checks all files of one partition directory against each other. What the next open builds again
// anyway (after an unclean stop: everything from the segment of the recovery point on) is a note
// where it is wrong; a torn end there is a fault that a repair cuts, if nothing in it was
// acknowledged; all else that is wrong in the batches is damage and stays. Changes nothing.
checked_partition check_partition(io::file_system& disk, const partition_request& asked,
                                  check_report& report);

}  // namespace ringlog::storage
