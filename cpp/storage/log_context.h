#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/result.h"
#include "base/task.h"
#include "storage/segment_cache.h"
#include "storage/services.h"
#include "storage/sync_group.h"
#include "storage/tail_budget.h"

namespace ringlog::storage {

class durability_control;
class journal;
class log_flusher;

// Whether the directory can still be written. The first failed write or sync decides it for good:
// the kernel may have dropped the pages, so a retry that succeeds proves nothing. Any thread.
class directory_health {
 public:
  void fail(const error& cause);
  // The same for another reason, in its own words.
  void refuse(const error& why);
  status check() const;

 private:
  mutable std::mutex mutex_;
  std::optional<error> failure_;
};

// What all logs of one log_manager share. Owned by the manager, outlives its logs.
struct log_context {
  log_context(services given, std::string log_directory, bool only_read,
              std::int64_t tail_bytes_max, std::size_t single_syncs);

  services outside;
  const std::string directory;
  const bool read_only;
  const std::size_t single_syncs_max;
  std::unique_ptr<io::volume> whole_disk;  // null where it cannot be synced as a whole
  segment_cache cache;
  tail_budget tails;
  directory_health health;
  log_flusher* flusher = nullptr;
  durability_control* durabilities = nullptr;
  // Where appends become durable; null for logs in memory, whose segments are written directly.
  journal* shared_journal = nullptr;
  // Segments cannot grow: appends are refused until they can again.
  std::atomic<bool> disk_full{false};
  sync_group new_sync_group() {
    return sync_group(outside.disk, whole_disk.get(), single_syncs_max);
  }
  // For the next checkpoint of the journal to sync. Any thread.
  void sync_later(sync_group&& written);
  // Syncs it now, unless a replay would make it again: then the next checkpoint does.
  status sync(sync_group&& written, bool is_replayed);
  sync_group take_unsynced();

  // Makes the log start offsets of all logs durable; the manager's. Any thread.
  std::function<void(callback<void(status)>)> keep_log_starts;
  // Takes a checkpoint of the journal that begins after the call: nothing that was durable before
  // it is replayed any more. error_code::closed while the manager closes. The engine's thread.
  std::function<void(callback<void(status)>)> checkpoint_journal;

 private:
  std::mutex mutex_;
  sync_group unsynced_;
};

}  // namespace ringlog::storage
