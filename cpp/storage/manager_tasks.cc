// What a log_manager does by itself from time to time.

#include <algorithm>

#include "storage/file_names.h"
#include "storage/log_retention.h"
#include "storage/log_state.h"
#include "storage/manager_state.h"

namespace ringlog::storage {

void log_manager::state::start_tasks() {
  if (options.read_only) return;
  const std::int64_t delay_ms = options.initial_task_delay_ms;
  repeat(delay_ms, options.recovery_point_interval_ms, &state::write_recovery_points_now);
  repeat(delay_ms, options.log_start_interval_ms, &state::write_log_starts_now);
  repeat(delay_ms, options.retention_interval_ms, &state::apply_retention_now);
  repeat(options.high_watermark_interval_ms, options.high_watermark_interval_ms,
         &state::write_high_watermarks_now);
}

void log_manager::state::repeat(std::int64_t delay_ms, std::int64_t interval_ms,
                                void (state::*work)()) {
  const auto number = timers.size();
  timers.push_back(0);
  // The task schedules itself again; it holds the manager weakly and ends with it.
  struct repeated {
    std::weak_ptr<state> manager;
    std::size_t number;
    std::int64_t interval_ms;
    void (state::*work)();

    static void schedule(const repeated& what, state& manager, std::int64_t wait_ms) {
      io::engine& engine = manager.context.outside.engine;
      const auto time = manager.context.outside.clock.now() + milliseconds(wait_ms);
      const std::lock_guard guard(manager.mutex);
      if (manager.closing) return;
      manager.timers[what.number] = engine.schedule_at(time, [what] {
        const auto alive = what.manager.lock();
        if (alive == nullptr) return;
        ((*alive).*(what.work))();
        schedule(what, *alive, what.interval_ms);
      });
    }
  };
  repeated::schedule({weak_from_this(), number, interval_ms, work}, *this, delay_ms);
}

void log_manager::state::warn_of(const status& outcome) {
  if (outcome.ok()) return;
  context.outside.sink.log(log_level::warning, "{}: checkpoint not written: {}", options.directory,
                           outcome.failure().message);
}

// Up to where the segments are on stable storage, which is what a recovery point says.
offset_t log_manager::state::synced_end(const log_state& log, bool all_synced) const {
  if (all_synced) return log.offsets.durable_end;
  if (log.promise_kept == durability::page_cache) {
    return std::max(log.offsets.log_start, log.synced.offset);
  }
  if (log.journal_number == 0) return log.offsets.durable_end;
  const auto known = table.logs.find(log.journal_number);
  if (known == table.logs.end()) return log.offsets.log_start;
  return std::max(log.offsets.log_start, known->second.end);
}

void log_manager::state::note_offsets() {
  const bool all_synced = is_closing();
  for (const auto& log : open_logs()) {
    if (log->name() == metadata_partition) continue;
    log_offsets offsets;
    offset_t first_base;
    {
      const std::lock_guard guard(log->internals().mutex);
      if (!log->internals().directory_there &&
          log->internals().offsets.durable_end == offset_t(0)) {
        continue;
      }
      offsets = log->internals().offsets;
      offsets.durable_end = synced_end(log->internals(), all_synced);
      first_base = log->internals().segments.front()->base;
    }
    const std::lock_guard guard(mutex);
    checkpoints.note(log->name(), offsets, first_base);
  }
}

status log_manager::state::write_checkpoints() {
  note_offsets();
  const std::lock_guard guard(mutex);
  return checkpoints.write_all();
}

status log_manager::state::write_log_starts() {
  note_offsets();
  const std::lock_guard guard(mutex);
  return checkpoints.write_log_starts();
}

void log_manager::state::write_log_starts_now() { warn_of(write_log_starts()); }

void log_manager::state::write_recovery_points_now() {
  note_offsets();
  const std::lock_guard guard(mutex);
  warn_of(checkpoints.write_recovery_points());
}

void log_manager::state::write_high_watermarks_now() {
  note_offsets();
  const std::lock_guard guard(mutex);
  warn_of(checkpoints.write_high_watermarks());
}

// ---- retention

void log_manager::state::apply_retention_now() {
  apply_retention([self = shared_from_this()](const result<std::int64_t>& outcome) {
    if (outcome.ok()) return;
    self->context.outside.sink.log(log_level::warning, "{}: retention: {}", self->options.directory,
                                   outcome.failure().message);
  });
}

void log_manager::state::apply_retention(callback<void(result<std::int64_t>)> done) {
  struct progress {
    std::size_t left = 1;
    std::int64_t deleted = 0;
    std::optional<error> failure;
    callback<void(result<std::int64_t>)> done;

    void step() {
      if (--left != 0) return;
      if (failure) return done(*failure);
      done(deleted);
    }
  };
  auto shared = std::make_shared<progress>();
  shared->done = std::move(done);
  const auto self = shared_from_this();
  context.outside.engine.post([self, shared] {
    for (const auto& log : self->open_logs()) {
      ++shared->left;
      log->internals().run_between_writes(log, [self, shared, log] {
        const auto deleted = storage::apply_retention(self->context, log);
        if (deleted.ok()) shared->deleted += *deleted;
        if (!deleted.ok()) shared->failure = deleted.failure();
        shared->step();
      });
    }
    shared->step();
  });
}

}  // namespace ringlog::storage
