#include "storage/log_flusher.h"

#include <algorithm>

#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/log_cut.h"
#include "storage/log_state.h"

namespace ringlog::storage {

namespace {

constexpr std::int64_t write_bytes_max = 4 * limits::MiB;
constexpr std::int64_t reserve_bytes_min = 16 * limits::KiB;
constexpr std::int64_t reserve_bytes_max = 16 * limits::MiB;

// How far to reserve when `needed` bytes are: the file doubles, within bounds.
std::int64_t reservation(std::int64_t needed, std::int64_t segment_bytes) {
  const std::int64_t step = std::clamp(needed, reserve_bytes_min, reserve_bytes_max);
  return std::max(needed, std::min(needed + step, segment_bytes));
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
  if (job->batches.empty()) return;
  std::vector<bytes_view> parts;
  parts.reserve(job->batches.size());
  for (const shared_bytes& batch : job->batches) parts.push_back(batch.bytes);
  context_.outside.engine.write(
      *job->file, static_cast<std::uint64_t>(job->position), std::move(parts), true,
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
    const std::size_t first = state.tail.first_from(state.offsets.durable_end);
    for (std::size_t at = first; at < state.tail.size(); ++at) {
      const tail_batch& next = state.tail.at(at);
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
      if (next.of->durable_bytes < next.of->bytes) return {};
      indexes = next.of->indexes;
      epochs = state.epochs.entries();
      std::erase_if(epochs, [&](const epoch_entry& entry) {
        return entry.start_offset >= state.offsets.durable_end;
      });
    }
    TRY(write_segment_end(context_, *next.of, *indexes));
    TRY(io::replace_file(context_.outside.disk,
                         join_path(state.directory, segment_file_name(next.snapshot_offset,
                                                                      suffixes::producer_snapshot)),
                         next.snapshot));
    TRY(write_epoch_checkpoint(context_.outside.disk,
                               join_path(state.directory, file_names::leader_epochs), epochs));
    state.snapshots.push_back(next.snapshot_offset);
    const std::lock_guard lock(state.mutex);
    state.sealed.erase(state.sealed.begin());
    context_.cache.keep(*next.of, std::exchange(next.of->indexes, nullptr));
  }
}

status log_flusher::make_file(partition_log& log, write_job& job) {
  log_state& state = log.internals();
  io::file_system& disk = context_.outside.disk;
  if (!state.directory_there) {
    TRY(disk.make_directories(state.directory));
    if (!state.topic_id.is_zero()) {
      TRY(write_partition_metadata(disk, join_path(state.directory, file_names::partition_metadata),
                                   state.topic_id));
    }
    TRY(disk.sync_directory(context_.directory));
    state.directory_there = true;
  }
  TRY_ASSIGN(job.file, context_.cache.make_log_file(*job.of));
  if (!job.of->on_disk) {
    TRY(disk.sync_directory(state.directory));
    const std::lock_guard lock(state.mutex);
    job.of->on_disk = true;
  }
  const std::int64_t needed = job.position + job.bytes;
  if (needed > job.of->reserved_bytes) {
    const std::int64_t wanted = reservation(needed, job.segment_bytes_max);
    TRY(job.file->reserve(static_cast<std::uint64_t>(wanted)));
    job.of->reserved_bytes = wanted;
  }
  return {};
}

void log_flusher::written(const std::shared_ptr<partition_log>& log, const write_job& job) {
  log_state& state = log->internals();
  std::vector<callback<void(status)>> done;
  std::shared_ptr<callback<void(offset_t)>> listener;
  offset_t high_watermark;
  bool more = false;
  {
    const std::lock_guard lock(state.mutex);
    job.of->durable_bytes = job.position + job.bytes;
    state.offsets.durable_end = job.end;
    state.advance_bounds();
    const auto reached = state.waiters.upper_bound(job.end);
    for (auto at = state.waiters.begin(); at != reached; ++at)
      done.push_back(std::move(at->second));
    state.waiters.erase(state.waiters.begin(), reached);
    listener = state.listener;
    high_watermark = state.offsets.high_watermark;
    more = state.offsets.durable_end < state.offsets.log_end || !state.between_writes.empty();
    state.flush_queued = more;
  }
  context_.tails.became_durable(log, job.end, job.bytes);
  drop_old_tails();
  if (more) order(log);
  const status success;
  for (auto& waiter : done) waiter(success);
  if (listener != nullptr) (*listener)(high_watermark);
}

void log_flusher::drop_old_tails() {
  tail_budget::durable_piece piece;
  while (context_.tails.next_to_drop(piece)) {
    const auto log = piece.log.lock();
    if (log == nullptr) continue;
    const std::lock_guard lock(log->internals().mutex);
    context_.tails.dropped(log->internals().tail.drop_before(piece.end));
  }
}

void log_flusher::failed(const std::shared_ptr<partition_log>& log, const error& cause) {
  if (cause.code == error_code::no_space) {
    undo_appends(context_, log, cause);
    return order(log);  // whoever waits between writes gets his turn
  }
  context_.health.fail(cause);
  context_.outside.sink.log(log_level::error, "{}: {}", log->internals().directory, cause.message);
  const error answer = context_.health.check().failure();
  std::multimap<offset_t, callback<void(status)>> waiters;
  {
    const std::lock_guard lock(log->internals().mutex);
    waiters.swap(log->internals().waiters);
    log->internals().flush_queued = !log->internals().between_writes.empty();
    if (log->internals().flush_queued) order(log);
  }
  for (auto& waiter : waiters) waiter.second(answer);
}

status write_segment_end(log_context& context, segment& of, const segment_indexes& indexes) {
  TRY_ASSIGN(const auto file, context.cache.log_file(of));
  TRY(file->resize(static_cast<std::uint64_t>(of.durable_bytes)));
  of.reserved_bytes = 0;
  TRY(write_indexes(context.outside.disk, of, indexes));
  return context.outside.disk.sync_directory(of.directory);
}

}  // namespace ringlog::storage
