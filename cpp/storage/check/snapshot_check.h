#pragma once

#include <string>
#include <vector>

#include "io/file.h"
#include "model/record_batch.h"
#include "storage/check/check_report.h"
#include "storage/producer_state.h"
#include "storage/transaction_index.h"

namespace ringlog::storage {

// Follows the producers of a log through its batches and holds each `.snapshot` file against what
// they are at its offset. What is compared: producers that both know, open transactions, and
// producers whose last batch the log still has. A snapshot may lack producers that were idle for
// too long, and know some whose batches are gone. On its caller's stack.
class snapshot_check {
 public:
  struct request {
    std::string directory;
    std::vector<offset_t> snapshots;  // of the files, rising
    offset_t log_begin{0};            // base of the first segment
    bool compacted = false;           // batches may be gone: only the form of snapshots is checked
    bool clean_shutdown = false;
  };

  snapshot_check(io::file_system& disk, check_report& report, request asked);

  // Decodes all files; the one where the log begins is the state to start from.
  status load();

  // The next batch. Aborted transactions that it ends are added to `aborted`. corrupt: a marker
  // that cannot be read.
  status take(const model::batch_view& batch, std::vector<aborted_range>& aborted);

  // Batches are missing: from here on producers cannot be told.
  void lose_track() { complete_ = false; }

  // True while the state of all producers is known.
  bool is_complete() const { return complete_; }

  void finish(offset_t log_end);

 private:
  struct stored {
    offset_t offset{0};
    std::string path;
    std::vector<producer_entry> entries;
  };

  void compare_up_to(offset_t next);
  void compare(const stored& snapshot);
  std::string difference(const stored& snapshot) const;
  void report_wrong(const std::string& path, offset_t offset, std::string text, bool rebuild);

  io::file_system& disk_;
  check_report& report_;
  const request asked_;
  std::vector<stored> good_;  // rising
  std::size_t next_ = 0;      // the first not compared yet
  producer_state producers_;
  bool complete_ = true;
};

}  // namespace ringlog::storage
