#pragma once

#include <memory>

#include "base/result.h"
#include "base/task.h"
#include "storage/log_context.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// The logs whose appends are acknowledged from the page cache (durability::page_cache): syncs
// their segments when flush.messages, flush.ms or a roll ask for it, and takes logs into the
// journal and out of it when their config asks for another durability than they keep.
//
// Such a change is a barrier. From the moment on when it is asked for, appends gather in memory and
// nothing of them is acknowledged, until
// - to fsync: the segments are synced, and the journal has been told that the log stands there;
// - to page_cache: what the journal has of the log is in its segments, a checkpoint has made sure
//   that none of it is replayed any more, so that it cannot overwrite what comes later, and the
//   journal has been told that the log goes on without it.
// Kafka acknowledges from the page cache, too (UnifiedLog.append and flush.*).
//
// One per log_manager. change() from any thread, the rest on the engine's thread.
class durability_control {
 public:
  explicit durability_control(log_context& context) : context_(context) {}

  // state::begin_change() said that a change begins.
  void change(const std::shared_ptr<partition_log>& log);

  // Batches of a page_cache log were written to its segments: acknowledges them, or syncs first.
  void stored(const std::shared_ptr<partition_log>& log);

  // Answers when everything that is stored now is on stable storage.
  void sync(const std::shared_ptr<partition_log>& log, callback<void(status)> done);

  // Lets go of everything. Completions under way find nothing to do.
  void stop() { alive_.reset(); }

 private:
  void begin(const std::shared_ptr<partition_log>& log);
  void enter_journal(const std::shared_ptr<partition_log>& log);
  void drain_journal(const std::shared_ptr<partition_log>& log);
  void leave_journal(const std::shared_ptr<partition_log>& log);
  void go_back(const std::shared_ptr<partition_log>& log);
  void end_change(const std::shared_ptr<partition_log>& log, bool has_gathered);

  void begin_sync(const std::shared_ptr<partition_log>& log);
  void synced(const std::shared_ptr<partition_log>& log, const status& outcome);
  void set_flush_timer(const std::shared_ptr<partition_log>& log, std::int64_t wait_ms);
  void fail(const std::shared_ptr<partition_log>& log, const error& cause);

  log_context& context_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ringlog::storage
