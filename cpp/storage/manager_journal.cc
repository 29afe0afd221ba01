// The log_manager's journal: opened, begun, checkpointed, closed.

#include "io/make_durably.h"
#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/journal/journal_replay.h"
#include "storage/journal/journal_salvage.h"
#include "storage/journal/journal_scan.h"
#include "storage/log_state.h"
#include "storage/manager_state.h"

namespace ringlog::storage {

namespace {

error used_by_another(const std::string& directory) {
  return make_error(
      error_code::foreign_directory,
      "{0} was not closed by ringlog, and another program has used it since: {1} is there, which "
      "ringlog had set aside as {2}. What the journal holds does not fit to it any more. Move the "
      "journal away to open the directory as that program left it",
      directory, file_names::meta_properties, file_names::set_aside_meta_properties);
}

error written_by_another(const std::string& directory, const model::batch_view& batch,
                         leader_epoch_t own) {
  return make_error(
      error_code::foreign_directory,
      "{} was not closed by ringlog, and another program has used it since: its metadata log goes "
      "on at offset {} in epoch {}, and ringlog's own was {}. What the journal holds does not fit "
      "to it any more. Move the journal away to open the directory as that program left it",
      directory, batch.base_offset(), batch.partition_leader_epoch(), own);
}

// Blocks mean nothing without the names and positions that the checkpoint has.
error unreadable(const std::string& folder, const error& cause) {
  return make_error(
      error_code::corrupt,
      "{0}, and ringlog did not close this log: {1} holds what was acknowledged last, and cannot "
      "be "
      "replayed without it. Nothing was changed. Bring {0} back from a copy; or move {1} away to "
      "go "
      "on with what the segments hold, without what only the journal has. `ringlog check` says how "
      "far each partition goes then",
      cause.message, folder);
}

// The checkpoint last: without it, what is left of blocks would be taken for damage again.
status remove_journal(io::file_system& disk, const std::string& folder) {
  TRY_ASSIGN(const auto entries, disk.list(folder));
  for (const io::directory_entry& entry : entries) {
    if (entry.name.ends_with(journal_files::suffix))
      TRY(disk.remove(join_path(folder, entry.name)));
  }
  TRY(disk.sync_directory(folder));
  return disk.remove_tree(folder);
}

}  // namespace

// A damaged one of a log that was closed says nothing that is needed: the journal is made anew.
result<std::optional<journal_checkpoint>> log_manager::state::read_journal_checkpoint() {
  io::file_system& disk = context.outside.disk;
  const std::string& folder = options.journal_directory;
  auto known = read_checkpoint(disk, folder);
  if (known.ok() || known.code() != error_code::corrupt) return known;
  TRY_ASSIGN(const bool was_released,
             disk.exists(join_path(options.directory, file_names::meta_properties)));
  if (!clean_shutdown || !was_released) return unreadable(folder, known.failure());
  context.outside.sink.log(log_level::warning,
                           "{}; the log was closed, so nothing is lost: the journal is made anew",
                           known.failure().message);
  TRY(remove_journal(disk, folder));
  TRY(io::make_durably(disk, folder));
  return std::optional<journal_checkpoint>();
}

// Whoever leads the metadata log after us does so in a later epoch, and says so in its first batch.
status log_manager::state::check_metadata_epoch() const {
  const metadata_mark& known = table.metadata;
  io::file_system& disk = context.outside.disk;
  const std::string directory = directory_of(metadata_partition);
  TRY_ASSIGN(const bool there, disk.exists(directory));
  if (known.epoch < leader_epoch_t(0) || !there) return {};
  TRY_ASSIGN(const auto entries, disk.list(directory));
  for (const io::directory_entry& entry : entries) {
    const auto base = offset_of_file(entry.name);
    if (!base || !entry.name.ends_with(suffixes::log) || *base < known.segment_base) continue;
    TRY_ASSIGN(const auto file, disk.open(join_path(directory, entry.name), io::open_mode::read));
    batch_scanner batches(*file, *base == known.segment_base ? known.position : 0,
                          static_cast<std::int64_t>(entry.size));
    while (true) {
      const auto batch = batches.next();
      if (!batch.ok() || !*batch) break;
      if (!model::validate(**batch, model::validation_level::checksum).ok()) break;
      if ((*batch)->partition_leader_epoch() > known.epoch) {
        return written_by_another(options.directory, **batch, known.epoch);
      }
    }
  }
  return {};
}

void log_manager::state::mark_metadata(metadata_mark& mark) const {
  if (metadata_epoch >= leader_epoch_t(0)) mark.epoch = metadata_epoch;
  std::shared_ptr<partition_log> log;
  {
    const std::lock_guard guard(mutex);
    const auto found = slots.find(metadata_partition);
    if (found != slots.end()) log = found->second->log;
  }
  if (log == nullptr) return;
  const std::lock_guard guard(log->internals().mutex);
  const journaled_log stored = log->internals().as_stored();
  mark.end = stored.end;
  mark.segment_base = stored.segment_base;
  mark.position = stored.position;
}

status log_manager::state::open_journal() {
  io::file_system& disk = context.outside.disk;
  const std::string& folder = options.journal_directory;
  const auto owner = journal_identity::of(identity.directory_id, identity.cluster_id);
  TRY(io::make_durably(disk, folder));
  TRY_ASSIGN(auto known, read_journal_checkpoint());
  if (known) table = std::move(*known);
  if (!known) table.identity = owner;
  if (table.identity != owner) {
    return make_error(error_code::foreign_directory,
                      "{} belongs to another log directory than {}: move it away", folder,
                      options.directory);
  }
  shared_journal = std::make_unique<journal>(
      context.outside, journal_options{folder, options.journal_bytes_max, owner});
  TRY(shared_journal->files().open());
  journal_position position{table.epoch, table.first_sequence};
  if (!table.clean) {
    TRY_ASSIGN(const bool renamed_back,
               disk.exists(join_path(options.directory, file_names::meta_properties)));
    if (renamed_back) return used_by_another(options.directory);
    TRY(check_metadata_epoch());
    TRY_ASSIGN(position.next_sequence, replay_journal());
  }
  shared_journal->begin(position);
  shared_journal->set_next_log(table.next_log);
  context.shared_journal = shared_journal.get();
  return {};
}

result<std::uint64_t> log_manager::state::replay_journal() {
  clean_shutdown = table.began_clean;  // for the logs that the journal does not name
  journal_replay replay(context.outside, options.directory, table);
  journal_salvage salvage(context.outside, options.directory, table, replay);
  scan_request request{table.identity, table.first_sequence, table.epoch, {}};
  bool damaged = false;
  if (options.takes_damaged_journal) {
    request.visit_behind_damage = [&](const block_header&, bytes_view entries) -> status {
      if (!std::exchange(damaged, true)) TRY(salvage.begin());
      replayed.bytes += entries.size();
      return salvage.apply(entries);
    };
  }
  TRY_ASSIGN(
      const scanned_journal scanned,
      scan_journal(shared_journal->files(), request, [&](const block_header&, bytes_view entries) {
        replayed.bytes += entries.size();
        return replay.apply(entries);
      }));
  if (!scanned.lost.empty()) {
    auto damage = std::make_shared<journal_damage>(std::move(salvage).finish());
    damage->blocks = scanned.lost;
    replayed.damage = std::move(damage);
  }
  TRY(replay.finish());
  shared_journal->files().set_live(scanned.live_files, scanned.position, scanned.next_sequence - 1);
  TRY(shared_journal->files().write_again(scanned.unproven));
  for (const auto& [number, log] : table.logs) names[log.name] = number;
  const replay_counts& counts = replay.counts();
  replayed.blocks = scanned.blocks;
  replayed.batches = counts.batches;
  replayed.partitions = table.logs.size();
  context.sync_later(std::move(replay).written());
  context.outside.sink.log(
      log_level::info,
      "{} was not closed: {} blocks ({} bytes) of the journal replayed, with {} new logs, {} "
      "batches, {} log starts, {} cuts, {} removals; {} unfinished blocks behind them",
      options.directory, replayed.blocks, replayed.bytes, counts.new_logs, counts.batches,
      counts.log_starts, counts.cuts, counts.removals, scanned.unfinished);
  return scanned.next_sequence;
}

status log_manager::state::begin_journal() {
  if (shared_journal == nullptr) return {};
  TRY(shared_journal->files().ensure_one());
  if (table.clean) {
    table.began_clean = clean_shutdown;
    table.logs.clear();
    table.checked_from.clear();
  }
  table.clean = false;
  table.all_known = false;
  mark_metadata(table.metadata);
  ++table.epoch;
  // After a replay it still begins at the same block, with logs of a later state, but for what it
  // removed: claim() has made that last.
  TRY(write_checkpoint(context.outside.disk, options.journal_directory, table));
  shared_journal->set_epoch(table.epoch);
  shared_journal->on_durable = [this](const std::shared_ptr<partition_log>& log, offset_t end) {
    flusher.became_durable(log, end);
  };
  shared_journal->on_failure = [this](const error& cause) {
    context.health.fail(cause);
    context.outside.sink.log(log_level::error, "{}: {}", options.journal_directory, cause.message);
    for (const auto& log : open_logs()) flusher.refuse_waiters(log);
  };
  shared_journal->on_half_full = [this] { checkpoint_journal(); };
  return {};
}

bool log_manager::state::is_closing() const {
  const std::lock_guard guard(mutex);
  return closing;
}

bool log_manager::state::needs_recovery(const topic_partition& name) const {
  return !clean_shutdown || names.contains(name);
}

// ---- checkpoints

namespace {

// Makes the segments as durable as the journal, so that its oldest blocks are not needed any more:
// stores what the logs have, some of them at a time, syncs the files, writes the table. Kept alive
// by its own callbacks; on the engine's thread, but for what blocks.
class journal_checkpointing : public std::enable_shared_from_this<journal_checkpointing> {
 public:
  explicit journal_checkpointing(std::shared_ptr<log_manager::state> manager)
      : manager_(std::move(manager)),
        first_needed_(manager_->shared_journal->first_needed()),
        waiters_(std::exchange(manager_->checkpoint_waiters, {})),
        written_(manager_->context.new_sync_group()) {}

  void begin() {
    for (const auto& log : manager_->journaled_logs()) {
      const std::lock_guard guard(log->internals().mutex);
      if (log->internals().journal_number == 0) continue;
      logs_.emplace_back(log, log->internals().offsets.durable_end);
    }
    to_store_ = logs_.size();
    left_ = stores_at_once;
    for (std::size_t i = 0; i < stores_at_once; ++i) store_next();
  }

 private:
  static constexpr std::size_t stores_at_once = 16;

  // One after another, each a turn of the loop, so that appends are not held up.
  void store_next() {
    if (to_store_ == 0) {
      if (--left_ == 0) stored();
      return;
    }
    const auto& [log, end] = logs_[--to_store_];
    manager_->flusher.store(log, end, [self = shared_from_this()] {
      self->manager_->context.outside.engine.post([self] { self->store_next(); });
    });
  }

  void stored() {
    if (!manager_->context.health.check().ok()) return end(manager_->context.health.check());
    next_ = manager_->table;
    next_.first_sequence = first_needed_;
    next_.next_log = manager_->shared_journal->next_log();
    for (const auto& [log, end] : logs_) collect(*log);
    manager_->mark_metadata(next_.metadata);
    // After that: what loading a log has written is among it before the log is among the open ones.
    written_.add(manager_->context.take_unsynced());
    manager_->context.outside.engine.run_blocking(
        [self = shared_from_this()]() -> status {
          TRY(self->synced_ = self->written_.sync());
          return write_checkpoint(self->manager_->context.outside.disk,
                                  self->manager_->options.journal_directory, self->next_);
        },
        [self = shared_from_this()](const status& outcome) { self->end(outcome); });
  }

  void collect(partition_log& log) {
    log_state& state = log.internals();
    {
      const std::lock_guard guard(state.mutex);
      const journaled_log stored = state.as_stored();
      next_.logs[state.journal_number] = stored;
      next_.checked_from[state.journal_number] = stored.segment_base;
      if (state.named_outside) return;  // whose syncs are its own affair
    }
    for (const auto& of : std::exchange(state.unsynced, {})) {
      written_.add_file(of->path(suffixes::log));
    }
  }

  void end(const status& outcome) {
    settle(outcome);
    manager_->checkpoint_running = false;
    {
      const std::lock_guard guard(manager_->mutex);
      for (const std::uint32_t gone : std::exchange(manager_->removed_meanwhile, {})) {
        manager_->table.forget(gone);
      }
    }
    for (auto& waiter : waiters_) waiter(outcome);
    for (task& waiter : std::exchange(manager_->after_checkpoint, {})) waiter();
    if (!manager_->checkpoint_waiters.empty()) manager_->checkpoint_journal();
  }

  void settle(const status& outcome) {
    if (!outcome.ok()) {
      // With room for the table again the next one succeeds, as long as the files are synced.
      const bool lacks_room = synced_.ok() && outcome.code() == error_code::no_space;
      if (!lacks_room) manager_->context.health.fail(outcome.failure());
      return manager_->context.outside.sink.log(log_level::error, "{}: no checkpoint: {}",
                                                manager_->options.journal_directory,
                                                outcome.failure().message);
    }
    {
      const std::lock_guard guard(manager_->mutex);
      manager_->table = std::move(next_);
    }
    manager_->shared_journal->release_before(first_needed_);
  }

  std::shared_ptr<log_manager::state> manager_;
  const std::uint64_t first_needed_;
  std::vector<callback<void(status)>> waiters_;
  // Those that the journal has at the beginning, with their ends: a later one's entries all come
  // behind it.
  std::vector<std::pair<std::shared_ptr<partition_log>, offset_t>> logs_;
  std::size_t to_store_ = 0;  // of them, from the front
  std::size_t left_ = 0;      // stores that go on
  journal_checkpoint next_;
  sync_group written_;
  status synced_;
};

}  // namespace

void log_manager::state::checkpoint_journal_for(callback<void(status)> done) {
  checkpoint_waiters.push_back(std::move(done));
  checkpoint_journal();
}

void log_manager::state::checkpoint_journal() {
  if (checkpoint_running) return;
  const bool closes = is_closing();
  if (closes || shared_journal->first_needed() == table.first_sequence) {
    const status answer =
        closes ? status(make_error(error_code::closed, "{} is being closed", options.directory))
               : context.health.check();
    for (auto& waiter : std::exchange(checkpoint_waiters, {})) waiter(answer);
    return;
  }
  checkpoint_running = true;
  std::make_shared<journal_checkpointing>(shared_from_this())->begin();
}

// The next open looks at no partition when it finds the metadata log like this.
void log_manager::state::note_all_known() {
  mark_metadata(table.metadata);
  const std::lock_guard guard(mutex);
  table.all_known = (is_scanned || is_as_we_left_it) && doomed.empty();
}

status log_manager::state::close_journal() {
  if (shared_journal == nullptr || !claimed) return {};
  table.clean = true;
  table.logs.clear();
  table.checked_from.clear();
  note_all_known();
  table.first_sequence = shared_journal->first_needed();
  TRY(write_checkpoint(context.outside.disk, options.journal_directory, table));
  return shared_journal->files().shrink();
}

}  // namespace ringlog::storage
