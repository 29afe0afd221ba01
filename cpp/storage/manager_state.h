#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/log_checkpoints.h"
#include "storage/log_context.h"
#include "storage/log_flusher.h"
#include "storage/log_manager.h"

namespace ringlog::storage {

// What a log_manager is made of. Shared with its tasks on the engine, which hold it weakly.
struct log_manager::state : std::enable_shared_from_this<log_manager::state> {
  // A partition, loaded or not.
  struct slot {
    std::mutex loading;  // held while its files are read: the second to open it waits for the first
    std::shared_ptr<partition_log> log;
    std::optional<uuid> topic_id;
    bool found = false;  // there was a directory when the manager opened
    bool going = false;  // being deleted
  };

  state(services outside, log_manager_options given);

  log_manager_options options;
  log_context context;
  log_flusher flusher;
  std::unique_ptr<io::file_lock> lock;
  directory_identity identity;
  bool clean_shutdown = false;
  std::mutex claiming;
  bool claimed = false;  // under `claiming`
  std::atomic<std::int64_t> broker_epoch{-1};

  mutable std::mutex mutex;  // guards what follows
  std::map<topic_partition, std::shared_ptr<slot>> slots;
  log_checkpoints checkpoints;
  bool closing = false;
  std::vector<executor::timer_id> timers;

  // Notes the partition directories and removes those that were being deleted.
  void scan(const std::vector<io::directory_entry>& entries);
  void start_tasks();
  status claim();    // as log_manager says
  status release();  // undoes it; the last step of a clean close
  void stop();

  std::vector<std::shared_ptr<partition_log>> open_logs() const;
  result<std::shared_ptr<partition_log>> open_log(const topic_partition& name, const uuid& topic_id,
                                                  const log_config& config);
  void delete_log(const topic_partition& name, callback<void(status)> done);
  void apply_retention(callback<void(result<std::int64_t>)> done);

  std::string directory_of(const topic_partition& name) const;
  result<std::string> rename_directory(const topic_partition& name, std::string_view suffix);
  void remove_tree_later(const std::string& path, std::int64_t delay_ms);

  // Engine thread.
  status write_checkpoints();
  status write_log_starts();

 private:
  friend class log_manager;
  void note_offsets();
  void repeat(std::int64_t delay_ms, std::int64_t interval_ms, void (state::*work)());
  void write_recovery_points_now();
  void write_log_starts_now();
  void write_high_watermarks_now();
  void apply_retention_now();
  void warn_of(const status& outcome);
  void rename_deleted(const topic_partition& name, std::int64_t delay_ms,
                      callback<void(status)> done);
  result<std::shared_ptr<partition_log>> load(slot& of, const topic_partition& name,
                                              const uuid& topic_id, const log_config& config);
};

// The log takes no calls any more, `why` is the answer to all who wait; its memory is freed.
void give_up(partition_log& log, const error& why);

}  // namespace ringlog::storage
