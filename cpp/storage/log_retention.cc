#include "storage/log_retention.h"

#include <algorithm>

#include "storage/file_names.h"
#include "storage/journal/journal.h"
#include "storage/log_roll.h"
#include "storage/log_state.h"

namespace ringlog::storage {

namespace {

std::int64_t age_ms(const segment& of, std::int64_t now_ms) {
  const std::int64_t newest =
      of.max_timestamp.timestamp >= 0 ? of.max_timestamp.timestamp : of.created_ms;
  return now_ms - newest;
}

// How many segments at the front may go; all of them at most.
std::size_t deletable(const log_state& log, std::int64_t now_ms) {
  const log_config& config = *log.config;
  std::int64_t excess = 0;
  for (const auto& of : log.segments) excess += of->bytes;
  excess -= config.retention_bytes;
  const bool by_size = config.cleanup_delete && config.retention_bytes >= 0;
  const bool by_age = config.cleanup_delete && config.retention_ms >= 0;

  std::size_t count = 0;
  for (; count < log.segments.size(); ++count) {
    const segment& of = *log.segments[count];
    const bool last = count + 1 == log.segments.size();
    if (last && of.bytes == 0) break;
    const offset_t end = last ? log.offsets.log_end : log.segments[count + 1]->base;
    if (std::min(log.offsets.high_watermark, log.stored_end) < end) break;
    const bool below_start = !last && end <= log.offsets.log_start;
    const bool too_much = by_size && excess - of.bytes >= 0;
    const bool too_old = by_age && age_ms(of, now_ms) > config.retention_ms;
    if (!below_start && !too_much && !too_old) break;
    excess -= of.bytes;
  }
  return count;
}

// The file of the first segment that stays must be there before the others go: its name keeps the
// offset. No later one: a crash could lose the batches before it that are still on their way.
status make_first_file(log_context& context, log_state& log, std::size_t number) {
  std::shared_ptr<segment> first;
  {
    const std::lock_guard lock(log.mutex);
    first = log.segments[number];
  }
  if (first->on_disk) return {};
  TRY_ASSIGN(const auto file, context.cache.make_log_file(*first));
  TRY(context.outside.disk.sync_directory(log.directory));
  const std::lock_guard lock(log.mutex);
  first->on_disk = true;
  return {};
}

}  // namespace

result<std::int64_t> apply_retention(log_context& context,
                                     const std::shared_ptr<partition_log>& self) {
  log_state& log = self->internals();
  TRY(context.health.check());
  const std::int64_t now_ms = context.outside.clock.wall_ms();
  std::size_t count = 0;
  {
    const std::lock_guard lock(log.mutex);
    log.producers.remove_expired(now_ms, log.config->producer_id_expiration_ms);
    count = deletable(log, now_ms);
    if (count == 0) return std::int64_t{0};
    if (count == log.segments.size()) roll(log, log.offsets.log_end, now_ms);
  }
  TRY(make_first_file(context, log, count));

  std::vector<std::shared_ptr<segment>> gone;
  std::int64_t delay_ms = 0;
  offset_t first;
  offset_t log_start;
  journal::entry_number entry = 0;
  {
    const std::lock_guard lock(log.mutex);
    gone.assign(log.segments.begin(), log.segments.begin() + static_cast<std::ptrdiff_t>(count));
    log.segments.erase(log.segments.begin(),
                       log.segments.begin() + static_cast<std::ptrdiff_t>(count));
    std::erase_if(log.sealed, [&](const sealed_segment& known) {
      return known.of->base < log.segments.front()->base;
    });
    log.offsets.log_start = std::max(log.offsets.log_start, log.segments.front()->base);
    // What is not stored yet stays: its segment would have a hole.
    context.tails.dropped(log.tail.drop_before(std::min(log.offsets.log_start, log.stored_end)));
    log.epochs.truncate_from_start(log.offsets.log_start);
    log.producers.log_start_moved(log.offsets.log_start);
    log.advance_bounds();
    ++log.layout;
    log.changed = true;
    delay_ms = log.config->file_delete_delay_ms;
    first = log.segments.front()->base;
    log_start = log.offsets.log_start;
    if (log.has_journal()) log.journal_log_start();
    entry = log.log_start_entry;
  }
  std::erase_if(log.snapshots, [&](offset_t offset) { return offset < first; });
  context.outside.sink.log(log_level::info, "{}: {} segments deleted, the log starts at {}",
                           log.directory, count, log_start);
  if (!log.has_journal()) {
    TRY(remove_segments_later(context, gone, delay_ms));
    return static_cast<std::int64_t>(count);
  }
  // A replay would write into the files of what is gone: the journal has to know first.
  context.shared_journal->when_durable(entry, [&context, gone = std::move(gone),
                                               delay_ms](const status& durable) {
    const status removed = durable.ok() ? remove_segments_later(context, gone, delay_ms) : durable;
    if (removed.ok()) return;
    context.outside.sink.log(log_level::warning, "retention: {}", removed.failure().message);
  });
  return static_cast<std::int64_t>(count);
}

status remove_segments_later(log_context& context,
                             const std::vector<std::shared_ptr<segment>>& gone,
                             std::int64_t delay_ms) {
  io::file_system& disk = context.outside.disk;
  std::vector<std::string> names;
  for (const auto& of : gone) {
    for (const std::string_view suffix :
         {suffixes::log, suffixes::offset_index, suffixes::time_index, suffixes::transaction_index,
          suffixes::producer_snapshot}) {
      const std::string path = of->path(suffix);
      TRY_ASSIGN(const bool there, disk.exists(path));
      if (!there) continue;
      names.push_back(path + std::string(suffixes::deleted));
      TRY(disk.rename(path, names.back()));
    }
    context.cache.forget(*of);  // not before: a read that had begun would have opened it again
    // One after another: a crash that kept a later renaming but not this one would leave a gap.
    TRY(disk.sync_directory(of->directory));
  }
  context.outside.engine.schedule_at(context.outside.clock.now() + milliseconds(delay_ms),
                                     [&disk, names = std::move(names)] {
                                       // What cannot be removed now goes at the next load.
                                       for (const std::string& name : names)
                                         (void)disk.remove(name);
                                     });
  return {};
}

}  // namespace ringlog::storage
