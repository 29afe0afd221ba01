#include "storage/durability_control.h"

#include <algorithm>

#include "storage/file_names.h"
#include "storage/journal/journal.h"
#include "storage/log_flusher.h"
#include "storage/log_state.h"

namespace ringlog::storage {

namespace {

constexpr std::int64_t flush_ms_max = 366LL * 24 * 3600 * 1000;  // more means never

}  // namespace

// ---- acknowledged from the page cache

void durability_control::stored(const std::shared_ptr<partition_log>& log) {
  log_state& state = log->internals();
  offset_t acknowledged;
  std::int64_t unsynced = 0;
  bool is_due = false;
  std::int64_t flush_ms = 0;
  {
    const std::lock_guard lock(state.mutex);
    if (state.changing || state.deleted) return;
    unsynced = state.stored_end - state.synced.offset;
    is_due = unsynced >= state.config->flush_messages;
    acknowledged = is_due ? state.synced.offset : state.stored_end;
    flush_ms = state.config->flush_ms;
  }
  context_.flusher->became_durable(log, acknowledged);
  const bool has_rolled = state.unsynced.size() > 1;
  if (is_due || has_rolled || (flush_ms == 0 && unsynced > 0)) {
    if (!state.sync_running) begin_sync(log);
  } else if (unsynced > 0 && flush_ms <= flush_ms_max) {
    set_flush_timer(log, flush_ms);
  }
}

void durability_control::set_flush_timer(const std::shared_ptr<partition_log>& log,
                                         std::int64_t wait_ms) {
  if (std::exchange(log->internals().flush_timer_set, true)) return;
  context_.outside.engine.schedule_at(
      context_.outside.clock.now() + milliseconds(wait_ms),
      [this, weak = std::weak_ptr(log), alive = std::weak_ptr(alive_)] {
        const auto due = weak.lock();
        if (due == nullptr || alive.expired()) return;
        due->internals().flush_timer_set = false;
        if (!due->internals().sync_running) begin_sync(due);
      });
}

void durability_control::sync(const std::shared_ptr<partition_log>& log,
                              callback<void(status)> done) {
  log->internals().sync_waiters.push_back(std::move(done));
  if (!log->internals().sync_running) begin_sync(log);
}

void durability_control::begin_sync(const std::shared_ptr<partition_log>& log) {
  struct progress {
    std::size_t left = 1;
    status outcome;
    log_place place;
    std::uint64_t truncations = 0;
    std::vector<callback<void(status)>> waiters;
  };
  log_state& state = log->internals();
  auto shared = std::make_shared<progress>();
  {
    const std::lock_guard lock(state.mutex);
    shared->place = state.stored_place();
    shared->truncations = state.truncations;
  }
  shared->waiters.swap(state.sync_waiters);
  state.sync_running = true;
  state.syncing = std::exchange(state.unsynced, {});
  const auto step = [this, log, shared, alive = std::weak_ptr(alive_)](const status& outcome) {
    if (!outcome.ok()) shared->outcome = outcome;
    if (--shared->left > 0 || alive.expired()) return;
    log_state& done = log->internals();
    done.syncing.clear();
    if (shared->outcome.ok()) {
      const std::lock_guard lock(done.mutex);
      // A cut says itself where the log stands after it.
      if (!done.cutting && done.truncations == shared->truncations) done.synced = shared->place;
    }
    for (auto& waiter : shared->waiters) waiter(shared->outcome);
    synced(log, shared->outcome);
  };
  for (const auto& of : state.syncing) {
    auto opened = context_.cache.log_file(*of);
    if (!opened.ok() && opened.code() == error_code::not_found) continue;  // deleted since
    if (!opened.ok()) {
      shared->outcome = opened.failure();
      continue;
    }
    ++shared->left;
    const std::shared_ptr<io::file> file = *opened;
    context_.outside.engine.sync(*file, [step, file](const status& outcome) { step(outcome); });
  }
  context_.outside.engine.post([step] { step({}); });
}

void durability_control::synced(const std::shared_ptr<partition_log>& log, const status& outcome) {
  log_state& state = log->internals();
  state.sync_running = false;
  if (!outcome.ok()) return fail(log, outcome.failure());
  {
    const std::lock_guard lock(state.mutex);
    // From there on the next open looks for what is whole.
    if (state.named_outside && !state.changing && !state.refusal) state.name_in_journal(true);
  }
  if (state.promise_kept == durability::page_cache) stored(log);
  if (!state.sync_waiters.empty() && !state.sync_running) begin_sync(log);
}

void durability_control::fail(const std::shared_ptr<partition_log>& log, const error& cause) {
  context_.health.fail(cause);
  context_.outside.sink.log(log_level::error, "{}: {}", log->internals().directory, cause.message);
  context_.flusher->refuse_waiters(log);
}

// ---- changes

void durability_control::change(const std::shared_ptr<partition_log>& log) {
  log->internals().run_between_writes(log, [this, log, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) begin(log);
  });
}

void durability_control::begin(const std::shared_ptr<partition_log>& log) {
  log_state& state = log->internals();
  if (state.promise_kept == durability::fsync) return drain_journal(log);
  sync(log, [this, log](const status& outcome) {
    if (outcome.ok()) enter_journal(log);
  });
}

// Everything stored is synced.
void durability_control::enter_journal(const std::shared_ptr<partition_log>& log) {
  log_state& state = log->internals();
  context_.flusher->became_durable(log, state.stored_end);
  bool has_gathered = false;
  {
    const std::lock_guard lock(state.mutex);
    state.promise_kept = durability::fsync;
    state.changing = false;
    if (state.has_journal() && !state.journal_ended) {
      state.name_in_journal(false);
      state.journal_tail(log, state.stored_end);
    }
    has_gathered = !state.has_journal() && state.stored_end < state.offsets.log_end;
  }
  end_change(log, has_gathered);
}

// What went through the journal goes to the segments, and out of the journal.
void durability_control::drain_journal(const std::shared_ptr<partition_log>& log) {
  log_state& state = log->internals();
  if (!state.has_journal() || state.journal_number == 0) return leave_journal(log);
  const auto checkpointed = [this, log, alive = std::weak_ptr(alive_)](const status& outcome) {
    if (alive.expired()) return;
    if (outcome.ok()) return leave_journal(log);
    if (outcome.code() == error_code::closed) return go_back(log);
    fail(log, outcome.failure());
  };
  log->when_durable(state.gathered_from, [this, log, checkpointed,
                                          alive = std::weak_ptr(alive_)](const status& outcome) {
    if (alive.expired() || !outcome.ok()) return;
    context_.flusher->store(log, log->internals().gathered_from, [this, checkpointed, alive] {
      if (!alive.expired()) context_.checkpoint_journal(checkpointed);
    });
  });
}

void durability_control::leave_journal(const std::shared_ptr<partition_log>& log) {
  log_state& state = log->internals();
  const auto left = [this, log] {
    log_state& done = log->internals();
    bool has_gathered = false;
    {
      const std::lock_guard lock(done.mutex);
      done.promise_kept = durability::page_cache;
      done.changing = false;
      has_gathered = done.stored_end < done.offsets.log_end;
    }
    end_change(log, has_gathered);
  };
  journal::entry_number entry = 0;
  {
    const std::lock_guard lock(state.mutex);
    if (state.has_journal() && !state.refusal) {
      state.name_in_journal(true);
      entry = context_.shared_journal->last_entry();
    } else if (!state.has_journal()) {
      state.synced = state.stored_place();
    }
  }
  if (!state.has_journal()) return left();
  if (entry == 0) return go_back(log);
  context_.shared_journal->when_durable(entry, [left](const status& outcome) {
    if (outcome.ok()) left();
  });
}

// The directory is being closed, or the log deleted: what gathered becomes durable as before.
void durability_control::go_back(const std::shared_ptr<partition_log>& log) {
  log_state& state = log->internals();
  {
    const std::lock_guard lock(state.mutex);
    state.changing = false;
    if (!state.journal_ended && state.gathered_from < state.offsets.log_end) {
      if (state.journal_number == 0) state.name_in_journal(false);
      state.journal_tail(log, state.gathered_from);
    }
  }
  end_change(log, false);
}

void durability_control::end_change(const std::shared_ptr<partition_log>& log, bool has_gathered) {
  log_state& state = log->internals();
  bool order = false;
  bool again = false;
  {
    const std::lock_guard lock(state.mutex);
    order = has_gathered && !std::exchange(state.flush_queued, true);
    again = !state.refusal && state.begin_change();
  }
  if (order) state.order_flush(log);
  for (task& waiting : std::exchange(state.after_change, {})) waiting();
  if (again) change(log);
}

}  // namespace ringlog::storage
