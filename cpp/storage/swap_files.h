#pragma once

#include <string>

#include "base/log_sink.h"
#include "base/result.h"
#include "io/file.h"
#include "storage/segment.h"

namespace ringlog::storage {

// Ends what a compaction or a deletion had begun when the process ended (Kafka: LogLoader, first
// three passes): `.deleted` and `.cleaned` files go; segments that `.swap` files replace go, and
// the `.swap` files take their names.
status finish_swaps(io::file_system& disk, log_sink& sink, const std::string& directory);

// The log file, its indexes and the producer snapshot of its base, as far as they are there.
status remove_segment_files(io::file_system& disk, const segment& of);

}  // namespace ringlog::storage
