#include "storage/producer_recovery.h"

#include <algorithm>

#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/producer_snapshot.h"

namespace ringlog::storage {

status producer_recovery::load(offset_t log_start, offset_t limit) {
  producers_ = {};
  end_ = log_start;
  auto after = std::upper_bound(snapshots_.begin(), snapshots_.end(), limit);
  while (after != snapshots_.begin() && *std::prev(after) > log_start) {
    --after;
    const std::string path =
        join_path(directory_, segment_file_name(*after, suffixes::producer_snapshot));
    TRY_ASSIGN(const byte_buffer content,
               io::read_file(outside_.disk, path, limits::snapshot_file_bytes_max));
    const auto entries = decode_producer_snapshot(content, path);
    if (!entries.ok()) {
      outside_.sink.log(log_level::warning, "{}; an older snapshot is used",
                        entries.failure().message);
      continue;
    }
    for (const producer_entry& entry : *entries) {
      if (!is_expired(entry, outside_.clock.wall_ms(), expiration_ms_)) producers_.load(entry);
    }
    end_ = *after;
    return {};
  }
  return {};
}

status producer_recovery::replay(const std::vector<std::shared_ptr<segment>>& segments,
                                 offset_t to) {
  for (const auto& of : segments) {
    if (of->end > end_ && of->base < to) TRY(replay_segment(*of, to));
  }
  end_ = std::max(end_, to);
  return {};
}

status producer_recovery::replay_segment(const segment& of, offset_t to) {
  std::int64_t position = 0;
  if (end_ > of.base && of.indexes == nullptr) {
    TRY_ASSIGN(const auto indexes, cache_.indexes(of));
    position = indexes->offsets.lookup(end_).value();
  }
  TRY_ASSIGN(const auto file, cache_.log_file(of));
  batch_scanner scanner(*file, position, of.stored_bytes);
  while (true) {
    auto batch = scanner.next();
    if (!batch.ok() && batch.code() != error_code::corrupt) return std::move(batch.failure());
    // Damage below the recovery point is for readers to report.
    if (!batch.ok() || !*batch || (*batch)->base_offset() >= to) return {};
    if ((*batch)->last_offset() < end_) continue;
    std::vector<aborted_range> indexed_already;
    const status applied = apply(**batch, indexed_already);
    if (!applied.ok()) {
      outside_.sink.log(log_level::warning, "{}: {}", of.path(suffixes::log),
                        applied.failure().message);
    }
  }
}

void producer_recovery::recall(const std::vector<std::shared_ptr<segment>>& segments) {
  if (!producers_.lacks_batches()) return;
  std::size_t first = segments.size();
  std::int64_t bytes_before = 0;  // of the segments from `first` on, but for itself
  std::int64_t bytes = 0;
  while (first > 0 && bytes < recall_bytes_max) {
    bytes_before = bytes;
    bytes += segments[--first]->stored_bytes;
  }
  batch_lists lists;
  for (std::size_t at = first; at < segments.size(); ++at) {
    const std::int64_t bytes_max = recall_bytes_max - bytes_before;
    const bool whole = at > first;
    const status listed =
        list_batches(*segments[at], whole ? segments[at]->stored_bytes : bytes_max, lists);
    if (!listed.ok()) {
      outside_.sink.log(log_level::warning, "{}: {}", segments[at]->path(suffixes::log),
                        listed.failure().message);
      lists.clear();  // what follows a gap is no row of batches
    }
  }
  for (const auto& [producer, batches] : lists) {
    producers_.recall(producer.first, producer.second, batches);
  }
}

// Adds the batches of idempotent producers in the segment's last `bytes_max`, or a little more.
status producer_recovery::list_batches(const segment& of, std::int64_t bytes_max,
                                       batch_lists& lists) {
  if (of.stored_bytes == 0) return {};
  std::int64_t position = 0;
  if (bytes_max < of.stored_bytes) {
    std::shared_ptr<const segment_indexes> indexes = of.indexes;
    if (indexes == nullptr) {
      TRY_ASSIGN(indexes, cache_.indexes(of));
    }
    for (std::size_t at = indexes->offsets.size(); at > 0; --at) {
      position = indexes->offsets.at(at - 1).position.value();
      if (position <= of.stored_bytes - bytes_max) break;
      position = 0;
    }
  }
  TRY_ASSIGN(const auto file, cache_.log_file(of));
  batch_scanner scanner(*file, position, of.stored_bytes);
  while (true) {
    TRY_ASSIGN(const auto batch, scanner.next());
    if (!batch) return {};
    if (!batch->has_producer_id() || batch->is_control()) continue;
    auto& list = lists[{batch->producer_id(), batch->producer_epoch()}];
    if (list.size() == limits::producer_batches_remembered) list.erase(list.begin());
    list.push_back({batch->last_sequence(), batch->last_offset(), batch->last_offset_delta(),
                    batch->max_timestamp()});
  }
}

status producer_recovery::apply(const model::batch_view& batch,
                                std::vector<aborted_range>& aborted) {
  producer_update update;
  TRY(producers_.prepare(update, batch, batch.base_offset(), producer_check::none));
  producers_.commit(std::move(update), aborted);
  return {};
}

}  // namespace ringlog::storage
