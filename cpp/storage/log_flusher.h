#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/log_context.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// Stores the tails of the logs in their segment files, one write per log at a time, so that what is
// appended meanwhile goes together into the next one. Makes directories and files where an append
// or a roll needs them, and completes sealed segments (indexes, producer snapshot, leader epochs)
// before the next segment's first byte.
//
// With a journal a batch is stored after it became durable there, through the page cache, when the
// log has enough of them, when tails take too much memory, or when a checkpoint asks for it. A full
// disk then only stops the storing: what was acknowledged stays in the journal and in memory, later
// appends are refused, and it is tried again. Without a journal each write is durable itself, and
// makes the batch so; a full disk undoes the appends.
//
// One per log_manager. order() from any thread, everything else on the engine's thread.
class log_flusher {
 public:
  explicit log_flusher(log_context& context) : context_(context) {}

  // The log has something in its tail or between_writes. Asked for once per log until it is done
  // (state::flush_queued).
  void order(std::shared_ptr<partition_log> log);

  // The journal has the log's batches up to `end`: durable end, high watermark and last stable
  // offset move, waiters and the listener are called.
  void became_durable(const std::shared_ptr<partition_log>& log, offset_t end);

  // Runs `done` when everything below `end`, which is durable, is in the segment files; not between
  // writes. Waits while the disk is full.
  void store(const std::shared_ptr<partition_log>& log, offset_t end, task done);

  // Nothing becomes durable any more: all who wait for the log are told so.
  void refuse_waiters(const std::shared_ptr<partition_log>& log);

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
  void relieve_memory();
  void try_again_later(const std::shared_ptr<partition_log>& log);

  log_context& context_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<partition_log>> orders_;
  bool posted_ = false;
  bool stopped_ = false;
  std::deque<std::weak_ptr<partition_log>> to_store_;           // engine thread: oldest first
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // engine thread
};

// Completes the files of a sealed or closing segment, for `written` to sync: no reserved space
// after its end, indexes.
status write_segment_end(log_context& context, segment& of, const segment_indexes& indexes,
                         sync_group& written);

}  // namespace ringlog::storage
