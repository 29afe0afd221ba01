#pragma once

#include "base/check.h"
#include "model/types.h"

namespace ringlog::storage {

// The offsets that bound a log, kept in order:
//   log_start <= last_stable <= high_watermark <= durable_end <= log_end.
// With one replica the high watermark follows durable_end at once; with more it is what the
// in-sync replicas have. durable_end: everything below is on stable storage here.
struct log_offsets {
  offset_t log_start{0};
  offset_t last_stable{0};
  offset_t high_watermark{0};
  offset_t durable_end{0};
  offset_t log_end{0};

  void check() const {
    CHECK(log_start <= last_stable, "last stable offset before the log's start", log_start,
          last_stable);
    CHECK(last_stable <= high_watermark, "last stable offset past the high watermark", last_stable,
          high_watermark);
    CHECK(high_watermark <= durable_end, "high watermark past what is durable", high_watermark,
          durable_end);
    CHECK(durable_end <= log_end, "durable end past the log's end", durable_end, log_end);
  }

  bool operator==(const log_offsets&) const = default;
};

}  // namespace ringlog::storage
