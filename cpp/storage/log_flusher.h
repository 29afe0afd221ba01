#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "storage/log_context.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// Makes appended batches durable: writes the tails of the logs to their segment files, one write
// per log at a time, so that what is appended meanwhile goes together into the next one. Makes
// directories and files where an append or a roll needs them, and completes sealed segments
// (indexes, producer snapshot, leader epochs) before the next segment's first byte. Space is
// reserved before it is written, so a full disk is seen while an append can still be undone.
//
// One per log_manager. order() from any thread, everything else on the engine's thread.
// After a write: durable end, high watermark and last stable offset have moved, waiters and the
// listener have been called.
class log_flusher {
 public:
  explicit log_flusher(log_context& context) : context_(context) {}

  // The log has something in its tail or between_writes. Asked for once per log until it is done
  // (state::flush_queued).
  void order(std::shared_ptr<partition_log> log);

  // Lets go of everything; later orders do nothing. Completions under way find nothing to do.
  void stop();

 private:
  struct write_job;

  void run_orders();
  void flush(const std::shared_ptr<partition_log>& log);
  status prepare(const std::shared_ptr<partition_log>& log, write_job& job);
  status complete_sealed(partition_log& log);
  status make_file(partition_log& log, write_job& job);
  void written(const std::shared_ptr<partition_log>& log, const write_job& job);
  void failed(const std::shared_ptr<partition_log>& log, const error& cause);
  void drop_old_tails();

  log_context& context_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<partition_log>> orders_;
  bool posted_ = false;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // engine thread
};

// Completes the files of a sealed or closing segment: no reserved space after its end, indexes.
status write_segment_end(log_context& context, segment& of, const segment_indexes& indexes);

}  // namespace ringlog::storage
