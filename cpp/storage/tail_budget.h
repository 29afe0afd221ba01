#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/check.h"
#include "model/types.h"

namespace ringlog::storage {

class partition_log;

// The memory that the tails of all logs may take together. What waits for the disk counts against
// appends; what is durable is dropped, oldest first, when the whole grows beyond the bound.
class tail_budget {
 public:
  explicit tail_budget(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes room for an append; false when too much waits for the disk. Any thread.
  bool take(std::int64_t bytes);
  // The bytes of an append that will not become durable.
  void give_back(std::int64_t bytes);
  // The bytes of batches that a log dropped from its tail.
  void dropped(std::int64_t bytes);

  // The log is durable up to `end`, `bytes` more than before. Engine thread.
  void became_durable(const std::shared_ptr<partition_log>& log, offset_t end, std::int64_t bytes);

  // What is durable and to be dropped next while the bound is exceeded. Engine thread.
  struct durable_piece {
    std::weak_ptr<partition_log> log;
    offset_t end;
  };
  bool next_to_drop(durable_piece& piece);

  std::int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t bytes_max_;
  std::atomic<std::int64_t> bytes_{0};    // in all tails
  std::atomic<std::int64_t> waiting_{0};  // of them not durable
  std::deque<durable_piece> durable_;     // engine thread
};

}  // namespace ringlog::storage
