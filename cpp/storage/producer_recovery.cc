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
  batch_scanner scanner(*file, position, of.durable_bytes);
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

status producer_recovery::apply(const model::batch_view& batch,
                                std::vector<aborted_range>& aborted) {
  producer_update update;
  TRY(producers_.prepare(update, batch, batch.base_offset(), producer_check::none));
  producers_.commit(std::move(update), aborted);
  return {};
}

}  // namespace ringlog::storage
