#pragma once

#include <cstdint>

#include "storage/log_state.h"

namespace ringlog::storage {

// Seals the active segment and puts a new one after it that begins at `base`, the log's end; the
// flusher makes the files. Under the log's mutex.
void roll(log_state& log, offset_t base, std::int64_t now_ms);

}  // namespace ringlog::storage
