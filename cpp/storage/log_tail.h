#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "model/types.h"
#include "storage/segment.h"

namespace ringlog::storage {

// A batch in memory and where it stands in the log.
struct tail_batch {
  offset_t base{0};
  offset_t end{0};
  std::int64_t position = 0;  // in its segment
  std::shared_ptr<segment> of;
  shared_bytes batch;
};

// The newest batches of a log, in memory: what is not durable yet must be here, what is durable may
// be, for readers. Owned by its log, used under the log's mutex.
class log_tail {
 public:
  void append(tail_batch added);

  // The batch that holds `offset` or is the first after it, where the tail reaches back that far.
  std::optional<std::size_t> find(offset_t offset) const;

  const tail_batch& at(std::size_t number) const { return batches_[number]; }
  std::size_t size() const { return batches_.size(); }

  // The first batch at or after `offset`; size() without one.
  std::size_t first_from(offset_t offset) const;

  // Drops the batches that end at or before `end`, or that end after it. Returns their bytes.
  std::int64_t drop_before(offset_t end);
  std::int64_t drop_after(offset_t end);

 private:
  std::deque<tail_batch> batches_;
};

}  // namespace ringlog::storage
