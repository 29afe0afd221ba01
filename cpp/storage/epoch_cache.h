#pragma once

#include <optional>
#include <vector>

#include "model/types.h"
#include "storage/checkpoint_file.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// Where each leader epoch of a log starts (Kafka: LeaderEpochFileCache; KIP-101, KIP-320). Owned by
// its log and used under the log's mutex; written to leader-epoch-checkpoint by the flusher when
// dirty() says so.
class epoch_cache {
 public:
  epoch_cache() = default;
  explicit epoch_cache(std::vector<epoch_entry> entries) : entries_(std::move(entries)) {}

  // Records from `start` on belong to `epoch`. What contradicts it is forgotten.
  void assign(leader_epoch_t epoch, offset_t start);

  leader_epoch_t latest() const;
  leader_epoch_t epoch_at(offset_t offset) const;
  epoch_end end_offset_for(leader_epoch_t epoch, offset_t log_end) const;

  // The log now ends, or begins, at `offset`.
  void truncate_from_end(offset_t offset);
  void truncate_from_start(offset_t offset);

  const std::vector<epoch_entry>& entries() const { return entries_; }

  bool dirty() const { return dirty_; }
  void mark_written() { dirty_ = false; }

 private:
  std::vector<epoch_entry> entries_;  // both members rise
  bool dirty_ = false;
};

}  // namespace ringlog::storage
