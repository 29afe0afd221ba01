#include "storage/log_flusher.h"

#include <algorithm>

#include "storage/directory_files.h"
#include "storage/durability_control.h"
#include "storage/file_names.h"
#include "storage/log_cut.h"
#include "storage/log_state.h"

namespace ringlog::storage {

namespace {

constexpr std::int64_t write_bytes_max = 4 * limits::MiB;
// A log with so much to store is stored at once; with less when memory is short.
constexpr std::int64_t store_bytes_min = 256 * limits::KiB;
constexpr std::int64_t memory_share = 4;  // this part of the tails' bound may wait to be stored
constexpr milliseconds full_disk_retry_interval{500};
constexpr std::int64_t reserve_bytes_min = 16 * limits::KiB;
constexpr std::int64_t reserve_bytes_max = 16 * limits::MiB;

// How far to reserve when `needed` bytes are: the file doubles, within bounds.
std::int64_t reservation(std::int64_t needed, std::int64_t segment_bytes) {
  const std::int64_t step = std::clamp(needed, reserve_bytes_min, reserve_bytes_max);
  return std::max(needed, std::min(needed + step, segment_bytes));
}

}  // namespace

namespace {

void note_unsynced(log_state& log, const std::shared_ptr<segment>& written) {
  if (log.unsynced.empty() || log.unsynced.back() != written) log.unsynced.push_back(written);
}

}  // namespace

struct log_flusher::write_job {
  std::shared_ptr<segment> of;
  std::shared_ptr<io::file> file;
  std::int64_t position = 0;
  std::int64_t bytes = 0;
  offset_t end{no_offset};
  std::int64_t segment_bytes_max = 0;
  std::vector<shared_bytes> batches;
};

void log_flusher::order(std::shared_ptr<partition_log> log) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  orders_.push_back(std::move(log));
  if (std::exchange(posted_, true)) return;
  context_.outside.engine.post([this, weak = std::weak_ptr<bool>(alive_)] {
    if (!weak.expired()) run_orders();
  });
}

void log_flusher::stop() {
  alive_.reset();
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  orders_.clear();
}

void log_flusher::run_orders() {
  std::vector<std::shared_ptr<partition_log>> orders;
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    orders.swap(orders_);
  }
  for (const auto& log : orders) flush(log);
}

void log_flusher::flush(const std::shared_ptr<partition_log>& log) {
  std::vector<task> waiting;
  {
    const std::lock_guard lock(log->internals().mutex);
    waiting.swap(log->internals().between_writes);
  }
  for (task& work : waiting) work();

  auto job = std::make_shared<write_job>();
  const status prepared = prepare(log, *job);
  if (!prepared.ok()) return failed(log, prepared.failure());
  if (job->batches.empty()) {
    // Deleted or cut, it does not wait any more; whoever else does will say so.
    if (std::exchange(log->internals().waits_for_room, false)) context_.disk_full = false;
    return;
  }
  std::vector<bytes_view> parts;
  parts.reserve(job->batches.size());
  for (const shared_bytes& batch : job->batches) parts.push_back(batch.bytes);
  const bool durable =
      !log->internals().has_journal() && log->internals().promise_kept == durability::fsync;
  context_.outside.engine.write(
      *job->file, static_cast<std::uint64_t>(job->position), std::move(parts), durable,
      [this, log, job, weak = std::weak_ptr<bool>(alive_)](const status& outcome) {
        if (weak.expired()) return;
        if (!outcome.ok()) return failed(log, outcome.failure());
        written(log, *job);
      });
}

status log_flusher::prepare(const std::shared_ptr<partition_log>& log, write_job& job) {
  log_state& state = log->internals();
  {
    const std::lock_guard lock(state.mutex);
    const offset_t storable = state.storable_end();
    const std::size_t first = state.tail.first_from(state.stored_end);
    for (std::size_t at = first; at < state.tail.size(); ++at) {
      const tail_batch& next = state.tail.at(at);
      if (next.end > storable) break;
      const auto bytes = static_cast<std::int64_t>(next.batch.bytes.size());
      if (job.of == nullptr) {
        job.of = next.of;
        job.position = next.position;
      } else if (next.of != job.of || job.bytes + bytes > write_bytes_max) {
        break;
      }
      job.batches.push_back(next.batch);
      job.bytes += bytes;
      job.end = next.end;
    }
    job.segment_bytes_max = state.config->segment_bytes;
    if (job.batches.empty()) {
      state.flush_queued = !state.between_writes.empty();
      if (state.flush_queued) order(log);
      return {};
    }
  }
  TRY(context_.health.check());
  TRY(complete_sealed(*log));
  return make_file(*log, job);
}

status log_flusher::complete_sealed(partition_log& log) {
  log_state& state = log.internals();
  while (true) {
    sealed_segment next;
    std::shared_ptr<const segment_indexes> indexes;
    std::vector<epoch_entry> epochs;
    {
      const std::lock_guard lock(state.mutex);
      if (state.sealed.empty()) return {};
      next = state.sealed.front();
      if (next.of->stored_bytes < next.of->bytes) return {};
      indexes = next.of->indexes;
      epochs = state.epochs.entries();
      std::erase_if(
          epochs, [&](const epoch_entry& entry) { return entry.start_offset >= state.stored_end; });
    }
    sync_group written = context_.new_sync_group();
    TRY(write_segment_end(context_, *next.of, *indexes, written));
    TRY(written.replace(join_path(state.directory, segment_file_name(next.snapshot_offset,
                                                                     suffixes::producer_snapshot)),
                        next.snapshot));
    TRY(written.replace(join_path(state.directory, file_names::leader_epochs),
                        as_bytes(epoch_checkpoint_text(epochs))));
    TRY(written.sync());
    state.snapshots.push_back(next.snapshot_offset);
    const std::lock_guard lock(state.mutex);
    state.sealed.erase(state.sealed.begin());
    context_.cache.keep(*next.of, std::exchange(next.of->indexes, nullptr));
  }
}

status log_flusher::make_file(partition_log& log, write_job& job) {
  log_state& state = log.internals();
  io::file_system& disk = context_.outside.disk;
  sync_group made = context_.new_sync_group();
  if (!state.directory_there) {
    TRY(disk.make_directories(state.directory));
    made.add_directory(context_.directory);
    if (!state.topic_id.is_zero()) {
      const std::string path = join_path(state.directory, file_names::partition_metadata);
      TRY(write_partition_metadata(disk, path, state.topic_id));
      made.add_file(path);
    }
  }
  TRY_ASSIGN(job.file, context_.cache.make_log_file(*job.of));
  if (!job.of->on_disk) made.add_directory(state.directory);
  if (!made.is_empty()) {
    TRY(context_.sync(std::move(made), state.is_journaled()));
    state.directory_there = true;
    const std::lock_guard lock(state.mutex);
    job.of->on_disk = true;
  }
  // What the journal has can wait for room.
  const std::int64_t needed = job.position + job.bytes;
  if (!state.is_journaled() && needed > job.of->reserved_bytes) {
    const std::int64_t wanted = reservation(needed, job.segment_bytes_max);
    TRY(job.file->reserve(static_cast<std::uint64_t>(wanted)));
    job.of->reserved_bytes = wanted;
  }
  return {};
}

void log_flusher::written(const std::shared_ptr<partition_log>& log, const write_job& job) {
  log_state& state = log->internals();
  bool more = false;
  {
    const std::lock_guard lock(state.mutex);
    job.of->stored_bytes = job.position + job.bytes;
    state.stored_end = job.end;
    state.stored_in = job.of;
    state.unstored_bytes -= job.bytes;
    const bool enough = state.is_direct() || state.unstored_bytes >= store_bytes_min ||
                        state.store_to > state.stored_end;
    more = (enough && state.stored_end < state.storable_end()) || !state.between_writes.empty();
    state.flush_queued = more;
  }
  if (state.has_journal() || state.promise_kept == durability::page_cache) {
    note_unsynced(state, job.of);
  }
  if (state.is_journaled()) {
    state.waits_for_room = context_.disk_full = false;
  } else if (state.promise_kept == durability::page_cache) {
    context_.durabilities->stored(log);
  } else {
    became_durable(log, job.end);
  }
  context_.tails.became_stored(log, job.end, job.bytes);
  drop_old_tails();
  if (more) order(log);
  std::vector<task> stored;
  const auto reached = state.store_waiters.upper_bound(job.end);
  for (auto at = state.store_waiters.begin(); at != reached; ++at) {
    stored.push_back(std::move(at->second));
  }
  state.store_waiters.erase(state.store_waiters.begin(), reached);
  for (task& waiter : stored) waiter();
}

// ---- with a journal

void log_flusher::became_durable(const std::shared_ptr<partition_log>& log, offset_t end) {
  log_state& state = log->internals();
  std::vector<callback<void(status)>> done;
  std::shared_ptr<callback<void(offset_t)>> listener;
  offset_t high_watermark;
  bool enough = false;
  {
    const std::lock_guard lock(state.mutex);
    if (state.deleted || end <= state.offsets.durable_end || end > state.offsets.log_end) return;
    state.offsets.durable_end = end;
    state.advance_bounds();
    const auto reached = state.waiters.upper_bound(end);
    for (auto at = state.waiters.begin(); at != reached; ++at) {
      done.push_back(std::move(at->second));
    }
    state.waiters.erase(state.waiters.begin(), reached);
    listener = state.listener;
    high_watermark = state.offsets.high_watermark;
    enough = state.is_journaled() && state.unstored_bytes >= store_bytes_min &&
             !std::exchange(state.flush_queued, true);
  }
  if (enough) order(log);
  if (state.is_journaled()) {
    if (!std::exchange(state.listed_to_store, true)) to_store_.push_back(log);
    relieve_memory();
  }
  const status success;
  for (auto& waiter : done) waiter(success);
  if (listener != nullptr) (*listener)(high_watermark);
}

// Stores logs, the one that waits longest first, until the tails' memory is not short any more.
void log_flusher::relieve_memory() {
  std::int64_t excess = context_.tails.waiting_bytes() - context_.tails.bytes_max() / memory_share;
  while (excess > 0 && !to_store_.empty()) {
    const auto log = to_store_.front().lock();
    to_store_.pop_front();
    if (log == nullptr) continue;
    log_state& state = log->internals();
    state.listed_to_store = false;
    bool wanted = false;
    {
      const std::lock_guard lock(state.mutex);
      excess -= state.unstored_bytes;
      state.store_to = std::max(state.store_to, state.storable_end());
      wanted = state.stored_end < state.storable_end() && !std::exchange(state.flush_queued, true);
    }
    if (wanted) order(log);
  }
}

void log_flusher::store(const std::shared_ptr<partition_log>& log, offset_t end, task done) {
  log_state& state = log->internals();
  bool is_stored = false;
  bool wanted = false;
  {
    const std::lock_guard lock(state.mutex);
    is_stored = state.stored_end >= end || state.deleted;
    if (!is_stored) {
      state.store_to = std::max(state.store_to, end);
      wanted = !std::exchange(state.flush_queued, true);
    }
  }
  if (is_stored) return done();
  state.store_waiters.emplace(end, std::move(done));
  if (wanted) order(log);
}

// The batches stay in memory and in the journal, so nothing is lost; nothing more is taken.
void log_flusher::try_again_later(const std::shared_ptr<partition_log>& log) {
  log->internals().waits_for_room = true;
  if (!context_.disk_full.exchange(true)) {
    context_.outside.sink.log(log_level::error,
                              "{}: no space left: what was acknowledged is kept in the journal, "
                              "appends are refused until there is room",
                              context_.directory);
  }
  context_.outside.engine.schedule_at(context_.outside.clock.now() + full_disk_retry_interval,
                                      [this, log, weak = std::weak_ptr<bool>(alive_)] {
                                        if (!weak.expired()) flush(log);
                                      });
}

// ---- memory and failures

void log_flusher::drop_old_tails() {
  tail_budget::stored_piece piece;
  while (context_.tails.next_to_drop(piece)) {
    const auto log = piece.log.lock();
    if (log == nullptr) continue;
    const std::lock_guard lock(log->internals().mutex);
    context_.tails.dropped(log->internals().tail.drop_before(piece.end));
  }
}

void log_flusher::failed(const std::shared_ptr<partition_log>& log, const error& cause) {
  if (cause.code == error_code::no_space) {
    if (log->internals().is_journaled()) return try_again_later(log);
    undo_appends(context_, log, cause);
    return order(log);  // whoever waits between writes gets his turn
  }
  context_.health.fail(cause);
  context_.outside.sink.log(log_level::error, "{}: {}", log->internals().directory, cause.message);
  {
    const std::lock_guard lock(log->internals().mutex);
    log->internals().flush_queued = !log->internals().between_writes.empty();
    if (log->internals().flush_queued) order(log);
  }
  refuse_waiters(log);
}

void log_flusher::refuse_waiters(const std::shared_ptr<partition_log>& log) {
  const error answer = context_.health.check().failure();
  log_state& state = log->internals();
  std::multimap<offset_t, callback<void(status)>> waiters;
  {
    const std::lock_guard lock(state.mutex);
    waiters.swap(state.waiters);
  }
  for (auto& waiter : waiters) waiter.second(answer);
  for (auto& waiter : std::exchange(state.store_waiters, {})) waiter.second();
}

status write_segment_end(log_context& context, segment& of, const segment_indexes& indexes,
                         sync_group& written) {
  TRY_ASSIGN(const auto file, context.cache.log_file(of));
  TRY(file->resize(static_cast<std::uint64_t>(of.stored_bytes)));
  of.reserved_bytes = 0;
  return write_indexes(context.outside.disk, of, indexes, written);
}

}  // namespace ringlog::storage
