#include "storage/log_cut.h"

#include <algorithm>

#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/journal/journal.h"
#include "storage/log_flusher.h"
#include "storage/log_state.h"
#include "storage/producer_recovery.h"
#include "storage/swap_files.h"

namespace ringlog::storage {

namespace {

// Where the first batch that ends after `end` begins; the active segment of what stays.
struct cut_point {
  std::shared_ptr<segment> of;
  std::int64_t position = 0;
  offset_t end{0};
};

result<cut_point> find_cut(log_context& context, const std::shared_ptr<segment>& of, offset_t end) {
  cut_point cut{of, 0, of->base};
  if (end <= of->base) return cut;
  std::shared_ptr<const segment_indexes> indexes = of->indexes;
  if (indexes == nullptr) {
    TRY_ASSIGN(indexes, context.cache.indexes(*of));
  }
  TRY_ASSIGN(const auto file, context.cache.log_file(*of));
  // One before the end: the entry of the batch that holds `end` itself may name a later one.
  batch_scanner scanner(*file, indexes->offsets.lookup(end - 1).value(), of->stored_bytes);
  cut.position = scanner.position();
  while (true) {
    TRY_ASSIGN(const auto batch, scanner.next());
    if (!batch || batch->last_offset() >= end) {
      if (batch) cut.end = std::min(batch->base_offset(), end);
      return cut;
    }
    cut.position = scanner.position();
    cut.end = batch->next_offset();
  }
}

// The largest timestamp after a cut: from the last entry of the time index on.
result<timestamp_offset> largest_timestamp(log_context& context, const segment& of) {
  timestamp_offset largest = of.indexes->times.last();
  if (of.stored_bytes == 0) return largest;
  TRY_ASSIGN(const auto file, context.cache.log_file(of));
  batch_scanner scanner(*file, of.indexes->offsets.lookup(largest.offset).value(), of.stored_bytes);
  while (true) {
    TRY_ASSIGN(const auto batch, scanner.next());
    if (!batch) return largest;
    if (batch->max_timestamp() > largest.timestamp) {
      largest = {batch->max_timestamp(), batch->last_offset()};
    }
  }
}

// Takes the batches and segments past `end` out of memory. Returns the dropped segments; the last
// one that stays has its indexes in memory.
result<std::vector<std::shared_ptr<segment>>> drop_past(log_context& context, log_state& log,
                                                        offset_t end) {
  std::vector<std::shared_ptr<segment>> dropped;
  std::shared_ptr<segment> active;
  {
    const std::lock_guard lock(log.mutex);
    log.cutting = true;
    context.tails.give_back(log.tail.drop_after(std::max(end, log.stored_end)));
    context.tails.dropped(log.tail.drop_after(end));
    while (log.segments.size() > 1 && log.segments.back()->base > end) {
      dropped.push_back(std::move(log.segments.back()));
      log.segments.pop_back();
    }
    active = log.segments.back();
    std::erase_if(log.sealed,
                  [&](const sealed_segment& known) { return known.of->base >= active->base; });
    if (active->indexes != nullptr) return dropped;
  }
  TRY_ASSIGN(const auto indexes, context.cache.indexes(*active));
  const std::lock_guard lock(log.mutex);
  active->indexes = std::make_shared<segment_indexes>(*indexes);
  context.cache.forget(*active);
  return dropped;
}

status remove_dropped(log_context& context, const std::vector<std::shared_ptr<segment>>& dropped) {
  for (const auto& gone : dropped) {
    context.cache.forget(*gone);
    if (gone->on_disk) TRY(remove_segment_files(context.outside.disk, *gone));
  }
  return {};
}

status remove_files(log_context& context, log_state& log, const cut_point& cut,
                    const std::vector<std::shared_ptr<segment>>& dropped) {
  TRY(remove_dropped(context, dropped));
  while (!log.snapshots.empty() && log.snapshots.back() > cut.end) {
    const std::string path = join_path(
        log.directory, segment_file_name(log.snapshots.back(), suffixes::producer_snapshot));
    log.snapshots.pop_back();
    TRY_ASSIGN(const bool there, context.outside.disk.exists(path));
    if (there) TRY(context.outside.disk.remove(path));
  }
  if (!cut.of->on_disk) return {};
  TRY_ASSIGN(const auto file, context.cache.log_file(*cut.of));
  TRY(file->resize(static_cast<std::uint64_t>(cut.position)));
  cut.of->reserved_bytes = 0;
  TRY(file->sync());
  return context.outside.disk.sync_directory(log.directory);
}

status cut_at(log_context& context, const std::shared_ptr<partition_log>& self, offset_t end) {
  log_state& log = self->internals();
  TRY_ASSIGN(const auto dropped, drop_past(context, log, end));
  TRY_ASSIGN(const cut_point cut, find_cut(context, log.segments.back(), end));
  TRY(remove_files(context, log, cut, dropped));
  {
    const std::lock_guard lock(log.mutex);
    cut.of->cut(cut.end, cut.position);
  }
  TRY_ASSIGN(const timestamp_offset largest, largest_timestamp(context, *cut.of));
  producer_recovery producers(context.outside, context.cache, log.directory, log.snapshots,
                              self->config().producer_id_expiration_ms);
  TRY(producers.load(self->offsets().log_start, cut.end));
  TRY(producers.replay(log.segments, cut.end));
  producers.recall(log.segments);

  const std::lock_guard lock(log.mutex);
  cut.of->max_timestamp = largest;
  log.producers = std::move(producers).take();
  log.epochs.truncate_from_end(cut.end);
  log.offsets.log_end = cut.end;
  log.offsets.durable_end = std::min(log.offsets.durable_end, cut.end);
  log.stored_end = std::min(log.stored_end, cut.end);
  log.stored_in = cut.of;
  log.unstored_bytes = 0;
  log.advance_bounds();
  log.note_cut(cut.end);
  log.changed = true;
  log.cutting = false;
  return {};
}

// Answers all waiters past the log's end.
void refuse_waiters(log_state& log, const error& cause) {
  std::vector<callback<void(status)>> refused;
  {
    const std::lock_guard lock(log.mutex);
    const auto first = log.waiters.upper_bound(log.offsets.durable_end);
    for (auto at = first; at != log.waiters.end(); ++at) refused.push_back(std::move(at->second));
    log.waiters.erase(first, log.waiters.end());
  }
  for (auto& waiter : refused) waiter(cause);
}

}  // namespace

void undo_appends(log_context& context, const std::shared_ptr<partition_log>& log,
                  const error& cause) {
  log_state& state = log->internals();
  context.outside.sink.log(log_level::error, "{}: nothing past offset {} was stored: {}",
                           state.directory, state.offsets.durable_end, cause.message);
  const status cut = cut_at(context, log, state.offsets.durable_end);
  if (!cut.ok()) context.health.fail(cut.failure());
  refuse_waiters(state, cause);
}

namespace {

status finish_cut(log_context& context, const std::shared_ptr<partition_log>& log, offset_t end) {
  log_state& state = log->internals();
  TRY(context.health.check());
  status cut = cut_at(context, log, end);
  if (!cut.ok()) context.health.fail(cut.failure());
  refuse_waiters(state, make_error(error_code::not_leader, "{} was cut back to offset {}",
                                   state.name.to_string(), end));
  return cut;
}

// Whole batches go: the cut may reach below a log start that stands inside of the last one. Whether
// it does. Under the log's mutex.
bool lower_log_start(log_state& state, offset_t end) {
  if (end >= state.offsets.log_start) return false;
  state.offsets.log_start = end;
  return true;
}

// Of a log outside of the journal: what it says to be on stable storage has to be so after the cut.
// Under the log's mutex.
journal::entry_number note_cut_in_journal(log_context& context, log_state& state,
                                          const cut_point& cut) {
  if (lower_log_start(state, cut.end)) state.journal_log_start();
  if (state.journal_number == 0) state.name_in_journal(!state.is_journaled());
  if (!state.named_outside) {
    return context.shared_journal->append(
        {state.journal_number, journaled_cut{cut.end, cut.of->base, cut.position}});
  }
  if (cut.end < state.synced.offset) {
    state.synced = {cut.end, cut.of->base, cut.position};
    state.name_in_journal(true);
  }
  return context.shared_journal->last_entry();
}

// Deleted, or about to be closed.
std::optional<error> refusal_of(const log_state& log) {
  const std::lock_guard lock(log.mutex);
  return log.refusal;
}

// Where a log is cut from now on. All of it is in the segments.
result<cut_point> begin_cut(log_context& context, log_state& state, offset_t end) {
  std::shared_ptr<segment> of;
  {
    const std::lock_guard lock(state.mutex);
    state.cutting = true;
    of = state.segments[state.segment_of(end)];
  }
  auto cut = find_cut(context, of, end);
  if (!cut.ok()) context.health.fail(cut.failure());
  return cut;
}

// Without a journal. A log start that the cut lowers is stored first: what comes after the cut has
// to be above it.
void direct_cut(log_context& context, const std::shared_ptr<partition_log>& log, offset_t end,
                callback<void(status)> done) {
  log_state& state = log->internals();
  const auto cut = begin_cut(context, state, end);
  if (!cut.ok()) return done(cut.failure());
  bool is_lowered = false;
  {
    const std::lock_guard lock(state.mutex);
    is_lowered = lower_log_start(state, cut->end);
  }
  if (!is_lowered) return done(finish_cut(context, log, end));
  context.keep_log_starts([&context, log, end, done = std::move(done)](const status& kept) mutable {
    if (!kept.ok()) context.health.fail(kept.failure());
    done(finish_cut(context, log, end));
  });
}

// The journal has the cut before the files do: a replay would put back what is cut.
void journal_cut(log_context& context, const std::shared_ptr<partition_log>& log, offset_t end,
                 callback<void(status)> done) {
  log_state& state = log->internals();
  const auto cut = begin_cut(context, state, end);
  if (!cut.ok()) return done(cut.failure());
  journal::entry_number entry = 0;
  {
    const std::lock_guard lock(state.mutex);
    if (state.journal_ended) return done(*state.refusal);
    entry = note_cut_in_journal(context, state, *cut);
  }
  context.shared_journal->when_durable(
      entry, [&context, log, end, done = std::move(done)](const status& durable) mutable {
        if (!durable.ok()) return done(durable.failure());
        const auto refusal = refusal_of(log->internals());
        if (log->internals().deleted) return done(*refusal);
        done(finish_cut(context, log, end));
      });
}

}  // namespace

void cut_log(log_context& context, const std::shared_ptr<partition_log>& log, offset_t end,
             callback<void(status)> done) {
  log_state& state = log->internals();
  offset_t log_end;
  offset_t stored_end;
  bool is_changing = false;
  {
    const std::lock_guard lock(state.mutex);
    if (end >= state.offsets.log_end) return done({});
    if (end < state.offsets.log_start) {
      return done(make_error(error_code::offset_out_of_range,
                             "{}: cannot cut at offset {}, before the log's start {}",
                             state.name.to_string(), end, state.offsets.log_start));
    }
    log_end = state.offsets.log_end;
    stored_end = state.stored_end;
    is_changing = state.changing;
  }
  if (status healthy = context.health.check(); !healthy.ok()) return done(std::move(healthy));
  if (const auto refusal = refusal_of(state)) return done(*refusal);
  if (is_changing) {
    state.after_change.push_back(
        [log, end, done = std::move(done)]() mutable { log->truncate_to(end, std::move(done)); });
    return;
  }
  if (!state.has_journal()) return direct_cut(context, log, end, std::move(done));
  if (stored_end == log_end) return journal_cut(context, log, end, std::move(done));
  log->when_durable(log_end, [&context, log, log_end, end,
                              done = std::move(done)](const status& durable) mutable {
    if (!durable.ok()) return done(durable.failure());
    context.flusher->store(log, log_end, [log, end, done = std::move(done)]() mutable {
      log->truncate_to(end, std::move(done));
    });
  });
}

}  // namespace ringlog::storage
