#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/durability_control.h"
#include "storage/journal/journal.h"
#include "storage/journal/journal_checkpoint.h"
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
    bool found = false;    // scan() saw its directory
    bool going = false;    // being deleted
    bool removed = false;  // and the journal knows it
  };

  state(services outside, log_manager_options given);

  log_manager_options options;
  log_context context;
  log_flusher flusher;
  durability_control durabilities;
  std::unique_ptr<io::file_lock> lock;
  directory_identity identity;
  bool clean_shutdown = false;
  leader_epoch_t metadata_epoch{-1};  // of the metadata log's writer; set before claim()
  // The journal's checkpoint knows the metadata log as it is: no other program was here since our
  // own clean close, so no partition is unclean, deleted by half, or unknown to the metadata.
  bool is_as_we_left_it = false;
  std::mutex claiming;
  bool claimed = false;  // under `claiming`
  std::atomic<std::int64_t> broker_epoch{-1};

  // The journal; null and empty without one. The table is changed by the opener until claim(), then
  // on the engine's thread under the mutex.
  std::unique_ptr<journal> shared_journal;
  journal_checkpoint table;
  replayed_journal replayed;
  bool checkpoint_running = false;
  std::vector<std::uint32_t> removed_meanwhile;  // logs; the running one may still need them
  std::vector<task> after_checkpoint;            // what waits for the running one
  std::vector<callback<void(status)>> renamed_deletions;  // wait for their rename to be durable
  bool syncing_renames = false;
  std::vector<callback<void(status)>> checkpoint_waiters;  // and for the next one to begin

  mutable std::mutex mutex;  // guards what follows
  std::map<topic_partition, std::uint32_t>
      names;  // of the table's logs as they were at the opening
  std::map<topic_partition, std::shared_ptr<slot>> slots;
  std::set<std::string> doomed;  // directories renamed to `-delete`, until they are removed
  log_checkpoints checkpoints;
  bool is_scanned = false;
  std::size_t deletions = 0;          // under way
  std::vector<task> after_deletions;  // what waits for the last of them
  bool closing = false;
  std::vector<executor::timer_id> timers;

  // Notes the partition directories and removes those that were being deleted. Once; not before
  // somebody has to know them all.
  status scan();
  // Compares the metadata log with what the last close left.
  void recognize(const partition_log& metadata_log);
  void start_tasks();
  result<std::uint64_t> replay_journal();  // answers the next sequence number
  status check_metadata_epoch() const;     // another program has used the directory
  void mark_metadata(metadata_mark& mark) const;
  void note_all_known();
  result<std::optional<journal_checkpoint>> read_journal_checkpoint();
  status open_journal();   // replays what an unclean end left
  status begin_journal();  // takes the next epoch
  status close_journal();  // everything is in the segments and synced
  void checkpoint_journal();
  void checkpoint_journal_for(callback<void(status)> done);  // log_context::checkpoint_journal
  // Whether an unclean end left this log to be looked at.
  bool needs_recovery(const topic_partition& name) const;  // under the mutex
  status claim();                                          // as log_manager says
  status release();  // undoes it; the last step of a clean close
  bool is_closing() const;
  void stop();

  std::vector<std::shared_ptr<partition_log>> loaded_logs(bool (*wanted)(const slot&)) const;
  std::vector<std::shared_ptr<partition_log>> open_logs() const;
  // Those and the ones that the journal still has, although they are being deleted.
  std::vector<std::shared_ptr<partition_log>> journaled_logs() const;
  result<std::shared_ptr<partition_log>> open_log(const topic_partition& name, const uuid& topic_id,
                                                  const log_config& config);
  void delete_log(const topic_partition& name, callback<void(status)> done);
  std::optional<std::pair<std::uint32_t, journal::entry_number>> journal_removal(
      const topic_partition& name, const std::shared_ptr<slot>& of);
  void deletion_ended();
  void forget_removed(std::uint32_t number);

  // Of a directory that was set aside: no replay makes it again, in the way of a topic of that name
  // that comes later.
  void journal_stray(const topic_partition& name);
  void delete_files(const topic_partition& name, const std::shared_ptr<slot>& of,
                    callback<void(status)> done);
  void apply_retention(callback<void(result<std::int64_t>)> done);
  void measure(std::vector<topic_partition> names, callback<void(result<directory_usage>)> done);

  std::string directory_of(const topic_partition& name) const;
  result<std::string> rename_directory(const topic_partition& name, std::string_view suffix);
  void remove_tree_later(const std::string& path, std::int64_t delay_ms);
  void remove_doomed(const std::string& path);
  void remove_all_doomed();
  result<std::optional<uuid>> stored_topic_id(const topic_partition& name) const;

  // Engine thread.
  status write_checkpoints();
  status write_log_starts();

 private:
  friend class log_manager;
  void note_offsets();
  result<std::int64_t> measure_log(const topic_partition& name) const;
  result<directory_usage> measure_all(const std::vector<topic_partition>& names) const;
  offset_t synced_end(const partition_log::state& log, bool all_synced) const;
  void repeat(std::int64_t delay_ms, std::int64_t interval_ms, void (state::*work)());
  void write_recovery_points_now();
  void write_log_starts_now();
  void write_high_watermarks_now();
  void apply_retention_now();
  void warn_of(const status& outcome);
  void close_files(partition_log& of);
  void rename_deleted(const topic_partition& name, std::int64_t delay_ms,
                      callback<void(status)> done);
  void sync_renames();
  result<std::shared_ptr<partition_log>> load(const topic_partition& name, const uuid& topic_id,
                                              const log_config& config);
};

// The log takes no calls any more, `why` is the answer to all who wait; its memory is freed.
void give_up(partition_log& log, const error& why);

}  // namespace ringlog::storage
