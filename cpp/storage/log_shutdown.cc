#include "storage/log_shutdown.h"

#include <algorithm>
#include <limits>

#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/log_flusher.h"
#include "storage/log_state.h"
#include "storage/producer_snapshot.h"

namespace ringlog::storage {

namespace {

// Leaves one log's files as a clean shutdown does, for `written` to sync. Everything in it is
// durable, in the journal at least.
status finish_files(log_context& context, log_state& log, sync_group& written) {
  if (!log.changed || !log.directory_there) return {};
  for (const auto& of : std::exchange(log.unsynced, {})) written.add_file(of->path(suffixes::log));
  for (const auto& of : log.syncing) written.add_file(of->path(suffixes::log));
  const std::shared_ptr<segment> active = log.segments.back();
  if (active->on_disk) {
    active->complete_time_index();
    TRY(write_segment_end(context, *active, *active->indexes, written));
  }
  if (log.offsets.log_end > offset_t(0)) {
    const std::string name = segment_file_name(log.offsets.log_end, suffixes::producer_snapshot);
    TRY(written.replace(join_path(log.directory, name),
                        encode_producer_snapshot(log.producers.sorted())));
  }
  return written.replace(join_path(log.directory, file_names::leader_epochs),
                         as_bytes(epoch_checkpoint_text(log.epochs.entries())));
}

// Closes all logs, then the directory. Kept alive by its own callbacks; on the engine's thread.
class shutdown : public std::enable_shared_from_this<shutdown> {
 public:
  shutdown(std::shared_ptr<log_manager::state> manager, callback<void(status)> done)
      : manager_(std::move(manager)),
        done_(std::move(done)),
        written_(manager_->context.new_sync_group()) {}

  void begin() {
    if (!manager_->options.read_only) open_the_rest();
    {
      const std::lock_guard guard(manager_->mutex);
      manager_->closing = true;
      if (manager_->deletions > 0) {
        manager_->after_deletions.push_back([self = shared_from_this()] { self->begin_closing(); });
        return;
      }
    }
    begin_closing();
  }

 private:
  void begin_closing() {
    // A checkpoint has taken over files to sync.
    if (!manager_->checkpoint_running) return close_logs();
    manager_->after_checkpoint.push_back([self = shared_from_this()] { self->close_logs(); });
  }

  void close_logs() {
    const auto logs = manager_->open_logs();
    left_ = logs.size() + 1;
    for (const auto& log : logs) close(log);
    step();
  }

  // Without a look at them, partitions that an unclean stop left behind would pass for clean.
  void open_the_rest() {
    if (manager_->clean_shutdown && manager_->names.empty()) return;
    const status scanned = manager_->scan();
    if (!scanned.ok()) return fail(scanned.failure());
    std::vector<topic_partition> unopened;
    {
      const std::lock_guard guard(manager_->mutex);
      for (const auto& [name, known] : manager_->slots) {
        if (known->log == nullptr && known->found && manager_->needs_recovery(name)) {
          unopened.push_back(name);
        }
      }
    }
    log_config config;
    config.producer_id_expiration_ms = std::numeric_limits<std::int64_t>::max();
    for (const topic_partition& name : unopened) {
      const auto id = manager_->stored_topic_id(name);
      const auto opened = manager_->open_log(name, id.ok() ? id->value_or(uuid()) : uuid(), config);
      if (!opened.ok()) fail(opened.failure());
    }
  }

  void close(const std::shared_ptr<partition_log>& log) {
    log_state& state = log->internals();
    {
      const std::lock_guard guard(state.mutex);
      state.refusal = make_error(error_code::closed, "the log directory is closed");
    }
    if (manager_->options.read_only) return step();
    state.run_between_writes(log, [self = shared_from_this(), log] { self->finish(log); });
  }

  void finish(const std::shared_ptr<partition_log>& log) {
    log_state& state = log->internals();
    const status healthy = manager_->context.health.check();
    if (!healthy.ok()) {
      fail(healthy.failure());
      return step();
    }
    bool stored = false;
    if (is_being_cut(state)) {
      journal& shared = *manager_->shared_journal;
      return shared.when_durable(shared.last_entry(), [self = shared_from_this(),
                                                       log](const status&) { self->close(log); });
    }
    {
      const std::lock_guard guard(state.mutex);
      if (state.offsets.durable_end < state.offsets.log_end) {
        // Comes back when that much is written; a failure shows in health.
        state.waiters.emplace(state.offsets.log_end, [self = shared_from_this(),
                                                      log](const status&) { self->close(log); });
        return;
      }
      stored = state.stored_end == state.offsets.log_end;
    }
    if (!stored) {
      return manager_->flusher.store(log, state.offsets.log_end,
                                     [self = shared_from_this(), log] { self->close(log); });
    }
    const status finished = finish_files(manager_->context, state, written_);
    if (!finished.ok()) fail(finished.failure());
    step();
  }

  // The cut waits for the journal; its files come to rest with it.
  bool is_being_cut(const log_state& state) const {
    const std::lock_guard guard(state.mutex);
    return state.cutting && state.is_journaled();
  }

  void step() {
    if (--left_ != 0) return;
    journal* const shared = manager_->shared_journal.get();
    if (shared == nullptr) return end();
    // Entries that no log waits for are on their way, and files with them.
    shared->when_durable(shared->last_entry(), [self = shared_from_this()](const status& outcome) {
      if (!outcome.ok()) self->fail(outcome.failure());
      self->end();
    });
  }

  void end() {
    if (manager_->options.read_only) return leave();
    written_.add(manager_->context.take_unsynced());
    manager_->context.outside.engine.run_blocking(
        [self = shared_from_this()]() -> status {
          self->manager_->remove_all_doomed();
          return self->failure_ ? status() : self->written_.sync();
        },
        [self = shared_from_this()](const status& synced) {
          if (!synced.ok()) self->fail(synced.failure());
          self->leave();
        });
  }

  void leave() {
    if (!failure_ && !manager_->options.read_only) {
      const status written = leave_clean();
      if (!written.ok()) fail(written.failure());
    }
    manager_->stop();
    manager_->lock.reset();
    if (failure_) return done_(*failure_);
    done_(status());
  }

  // The directory is Kafka's again with the last step.
  status leave_clean() {
    TRY(manager_->write_checkpoints());
    TRY(manager_->close_journal());
    TRY(write_clean_shutdown(manager_->context.outside.disk,
                             join_path(manager_->options.directory, file_names::clean_shutdown),
                             manager_->broker_epoch));
    return manager_->release();
  }

  void fail(const error& cause) {
    if (!failure_) failure_ = cause;
  }

  std::shared_ptr<log_manager::state> manager_;
  callback<void(status)> done_;
  std::size_t left_ = 0;
  std::optional<error> failure_;
  sync_group written_;
};

}  // namespace

void begin_shutdown(const std::shared_ptr<log_manager::state>& manager,
                    callback<void(status)> done) {
  auto work = std::make_shared<shutdown>(manager, std::move(done));
  manager->context.outside.engine.post([work] { work->begin(); });
}

}  // namespace ringlog::storage
