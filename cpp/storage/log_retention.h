#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "storage/log_context.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// Deletes the oldest segments that lie below the log start, or that retention.ms or
// retention.bytes allow to go, as far as the high watermark (Kafka: UnifiedLog.deleteOldSegments).
// A log that is only compacted loses just what lies below its start. Forgets idle producers. On
// the engine's thread, while no write of the log is under way. Answers the number of segments.
result<std::int64_t> apply_retention(log_context& context,
                                     const std::shared_ptr<partition_log>& log);

// Removes the segments' files after `delay_ms`; until then they have the suffix `.deleted`.
status remove_segments_later(log_context& context,
                             const std::vector<std::shared_ptr<segment>>& gone,
                             std::int64_t delay_ms);

}  // namespace ringlog::storage
