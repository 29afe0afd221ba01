#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "model/record_batch.h"

namespace ringlog::storage {

// A stretch of a segment file in which no good batch stands.
struct damaged_range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  offset_t next_expected{0};             // the batches before end here
  std::optional<offset_t> resumes = {};  // base offset of the good batch at `end`; none: the tail
  bool torn = false;  // a tail as a write that never ended leaves it: cut short, or only zeros
  std::string reason = {};
};

// What a segment file has to be: its size, and the offsets that may stand in it.
struct segment_range {
  std::int64_t bytes = 0;
  offset_t base{0};
  offset_t limit{0};  // of the next segment; past the last one the largest offset
};

// Reads a whole segment file in bounded pieces and goes on behind damage: whatever good batch
// stands there still, with offsets above those before, is found by its header and checksum.
// Failures are those of reading.
class segment_scan {
 public:
  using batch_taker = std::function<void(const model::batch_view&, std::int64_t position)>;
  using damage_taker = std::function<void(const damaged_range&)>;

  segment_scan(io::file& log, const segment_range& range) : log_(log), range_(range) {}

  status run(const batch_taker& on_batch, const damage_taker& on_damage);

 private:
  status check(const model::batch_view& batch) const;
  result<bool> is_batch(std::int64_t position) const;
  result<std::int64_t> find_batch(std::int64_t from) const;
  result<bool> is_zero(std::int64_t from) const;
  bool may_start_batch(bytes_view bytes, std::int64_t position) const;

  io::file& log_;
  const segment_range range_;
  offset_t next_{0};
};

}  // namespace ringlog::storage
