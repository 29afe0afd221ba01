#include "storage/log_context.h"

#include <algorithm>

namespace ringlog::storage {

void directory_health::fail(const error& cause) {
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  failure_ = make_error(error_code::storage_failed,
                        "the log directory takes no more writes after a failed one: {}; what was "
                        "acknowledged stays readable, open it again once the disk is repaired",
                        cause.message);
}

void directory_health::refuse(const error& why) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = why;
}

status directory_health::check() const {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  return {};
}

log_context::log_context(services given, std::string log_directory, bool only_read,
                         std::int64_t tail_bytes_max, std::size_t single_syncs)
    : outside(given),
      directory(std::move(log_directory)),
      read_only(only_read),
      single_syncs_max(single_syncs),
      cache(given.disk, given.sink, only_read,
            std::min(limits::open_segment_files_max, given.disk.open_files_max() / 2)),
      tails(tail_bytes_max),
      unsynced_(given.disk) {}

void log_context::sync_later(sync_group&& written) {
  const std::lock_guard lock(mutex_);
  unsynced_.add(std::move(written));
}

status log_context::sync(sync_group&& written, bool is_replayed) {
  if (!is_replayed) return written.sync();
  sync_later(std::move(written));
  return {};
}

sync_group log_context::take_unsynced() {
  sync_group taken = new_sync_group();
  const std::lock_guard lock(mutex_);
  taken.add(std::exchange(unsynced_, new_sync_group()));
  return taken;
}

}  // namespace ringlog::storage
