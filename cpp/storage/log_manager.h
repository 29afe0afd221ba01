#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "base/task.h"
#include "base/uuid.h"
#include "model/types.h"
#include "storage/log_config.h"
#include "storage/partition_log.h"
#include "storage/services.h"

namespace ringlog::storage {

struct journal_damage;  // storage/journal/journal_damage.h

// Who a log directory belongs to: the content of meta.properties.
struct directory_identity {
  std::string cluster_id;
  node_id_t node_id{1};
  uuid directory_id;
  bool operator==(const directory_identity&) const = default;
};

struct log_manager_options {
  std::string directory;  // the log directory itself; made when missing and `format` is given
  // The folder of the shared journal, beside the log directory; made when missing. Empty: for logs
  // in memory, each log makes its own appends durable.
  std::string journal_directory;
  std::int64_t journal_bytes_max = limits::journal_bytes_max;
  // Of a damaged journal takes what can be proven, where else open() fails. The files are changed.
  bool takes_damaged_journal = false;
  bool read_only = false;  // for tools: no lock, nothing is changed; recovery happens in memory
  // Written to meta.properties of a directory that has none and no partition; without it such a
  // directory is error_code::foreign_directory.
  std::optional<directory_identity> format;

  std::size_t single_syncs_max = limits::single_syncs_max;
  std::int64_t tail_bytes_max = limits::tail_bytes_max;
  std::int64_t recovery_point_interval_ms = 60'000;  // log.flush.offset.checkpoint.interval.ms
  std::int64_t log_start_interval_ms = 60'000;      // log.flush.start.offset.checkpoint.interval.ms
  std::int64_t high_watermark_interval_ms = 5'000;  // replica.high.watermark.checkpoint.interval.ms
  std::int64_t retention_interval_ms = 300'000;     // log.retention.check.interval.ms
  std::int64_t initial_task_delay_ms = 30'000;      // log.initial.task.delay.ms
};

// What an open took over from the journal of a directory that was not closed.
struct replayed_journal {
  std::uint64_t blocks = 0;
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;                       // of the entries
  std::size_t partitions = 0;                    // whose logs the journal knows
  std::shared_ptr<const journal_damage> damage;  // with takes_damaged_journal, where it is damaged
};

// How much lies in a log directory (KIP-113, KIP-827).
struct directory_usage {
  std::vector<std::int64_t> log_bytes;           // of the logs asked for, in their order
  std::optional<io::file_system::space> volume;  // none where the file system does not tell
};

// All logs of one log directory (Kafka: LogManager). Owned by the node, used by metadata and
// broker. Any thread may call; calls without a completion may read files on the caller's thread,
// completions run on the engine's thread. While it lives it holds the directory's lock, so that
// neither Kafka nor another process opens it. To end: close(), wait for its answer, destroy;
// destroyed without that, the directory is as after a kill.
class log_manager {
 public:
  // Takes the lock (error_code::locked names the owner's pid), reads meta.properties, checkpoints
  // and the clean-shutdown marker, and replays the journal where it was not closed. No partition is
  // looked at before it is asked for.
  static result<std::unique_ptr<log_manager>> open(services outside, log_manager_options options);
  ~log_manager();

  // Takes the marker away and renames meta.properties, so that Kafka refuses to start: it would
  // append to the metadata log before it looks at the lock. To be called before the first write;
  // open_log does it, too. close() undoes it; after a kill the next open accepts either name.
  status claim();

  const directory_identity& identity() const;
  const std::string& directory() const;
  bool had_clean_shutdown() const;
  const replayed_journal& replayed() const;  // by open(); nothing after a clean close

  // The epoch of the metadata log that its writer begins with this open: before claim(), so that
  // the journal's checkpoint can name it. No other program's epoch is at or below it.
  void set_metadata_epoch(leader_epoch_t epoch);

  // Ends all writing, as a failed write does.
  void refuse_writes(const error& why);

  // From .kafka_cleanshutdown, -1 without one; close() writes it there.
  std::int64_t broker_epoch() const;
  void set_broker_epoch(std::int64_t epoch);

  // Partition directories that are there and not open; the metadata log is not among them. Lists
  // the log directory, which nothing else does.
  result<std::vector<topic_partition>> unopened() const;

  // After open_metadata_log: nobody has used the directory since it was closed cleanly here, so
  // nothing needs a look before it is used.
  bool is_as_we_left_it() const;

  // What the partition's directory says; nothing when it does not, or is not there.
  result<std::optional<uuid>> stored_topic_id(const topic_partition& name) const;

  // The log of the partition: the one that is open, else loaded from its directory (recovered
  // where needed), else a new empty one whose directory is made by its first append.
  // error_code::foreign_directory when the directory holds another topic id: a stray to be set
  // aside; invalid_argument when the open log has another one.
  result<std::shared_ptr<partition_log>> open_log(const topic_partition& name, const uuid& topic_id,
                                                  const log_config& config);

  // The same for __cluster_metadata-0, which is no part of Kafka's checkpoints.
  result<std::shared_ptr<partition_log>> open_metadata_log(const log_config& config);

  // The log when it is open.
  std::shared_ptr<partition_log> find_log(const topic_partition& name) const;
  std::vector<std::shared_ptr<partition_log>> open_logs() const;

  // Renames the directory to `-delete` and answers when that is durable; its files go after
  // file.delete.delay.ms. Appends to the log answer error_code::closed from now on. A partition
  // without directory is a success.
  void delete_log(const topic_partition& name, callback<void(status)> done);

  // Renames the directory of a partition that is not open, and unknown to metadata, to `-stray`.
  status set_aside(const topic_partition& name);

  // How large these logs are and what room the volume has. A log that is not open is measured by
  // the names in its directory, and not opened for it.
  void measure(std::vector<topic_partition> names,
               callback<void(result<directory_usage>)> done) const;

  // Writes all three checkpoint files now.
  void checkpoint(callback<void(status)> done);

  // Deletes what retention allows in all open logs now; answers the number of segments.
  void apply_retention(callback<void(result<std::int64_t>)> done);

  // Success, or the failed write after which the directory is read-only for good.
  status health() const;

  // Stops appends, makes everything durable, leaves every file as Kafka's clean shutdown does
  // (indexes trimmed, producer snapshots at the end, checkpoints, .kafka_cleanshutdown last) and
  // releases the lock. Partitions that were never opened are loaded and recovered first where the
  // last shutdown was not clean.
  void close(callback<void(status)> done);

  struct state;  // storage/manager_state.h
  state& internals() { return *state_; }

 private:
  explicit log_manager(std::shared_ptr<state> opened);
  std::shared_ptr<state> state_;
};

}  // namespace ringlog::storage
