#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>

#include "base/check.h"
#include "model/types.h"

namespace ringlog::storage {

class partition_log;

// The memory that the tails of all logs may take together. What waits to be stored in a segment
// counts against appends; what is stored is dropped, oldest first, when the whole grows beyond the
// bound.
class tail_budget {
 public:
  explicit tail_budget(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes room for an append; false when too much waits for the disk. Any thread.
  bool take(std::int64_t bytes);
  // The bytes of an append that will not be stored.
  void give_back(std::int64_t bytes);
  // The bytes of batches that a log dropped from its tail.
  void dropped(std::int64_t bytes);

  // The log is in its segments up to `end`, `bytes` more than before. Engine thread.
  void became_stored(const std::shared_ptr<partition_log>& log, offset_t end, std::int64_t bytes);

  // What is stored and to be dropped next while the bound is exceeded. Engine thread.
  struct stored_piece {
    std::weak_ptr<partition_log> log;
    offset_t end;
  };
  bool next_to_drop(stored_piece& piece);

  std::int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Of them not stored.
  std::int64_t waiting_bytes() const { return waiting_.load(std::memory_order_relaxed); }
  std::int64_t bytes_max() const { return bytes_max_; }

 private:
  const std::int64_t bytes_max_;
  std::atomic<std::int64_t> bytes_{0};    // in all tails
  std::atomic<std::int64_t> waiting_{0};  // of them not stored
  std::deque<stored_piece> stored_;       // engine thread
};

}  // namespace ringlog::storage
