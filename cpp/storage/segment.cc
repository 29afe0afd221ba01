#include "storage/segment.h"

#include <algorithm>
#include <atomic>

#include "storage/file_names.h"

namespace ringlog::storage {

namespace {
std::uint64_t next_segment_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::int64_t index_entries_max(const log_config& config, std::size_t entry_bytes) {
  return config.segment_index_bytes / static_cast<std::int64_t>(entry_bytes);
}
}  // namespace

segment::segment(std::string directory_path, offset_t base_offset, std::int64_t now_ms)
    : id(next_segment_id()),
      directory(std::move(directory_path)),
      base(base_offset),
      end(base_offset),
      created_ms(now_ms),
      max_timestamp{no_timestamp, base_offset} {}

std::string segment::path(std::string_view suffix) const {
  return join_path(directory, segment_file_name(base, suffix));
}

status segment::check_next(const model::batch_view& batch) const {
  TRY(model::validate(batch, model::validation_level::header));
  if (batch.base_offset() >= end && batch.last_offset() - base <= INT32_MAX && bytes <= INT32_MAX) {
    return {};
  }
  return make_error(error_code::corrupt,
                    "{}: the batch of offsets {} to {} cannot stand after offset {}",
                    path(suffixes::log), batch.base_offset(), batch.last_offset(), end - 1);
}

void segment::note_batch(const model::batch_header_view& batch, std::int64_t index_interval_bytes) {
  if (bytes == 0) first_timestamp = batch.max_timestamp();
  if (batch.max_timestamp() > max_timestamp.timestamp) {
    max_timestamp = {batch.max_timestamp(), batch.last_offset()};
  }
  if (bytes_since_index_entry > index_interval_bytes) {
    indexes->offsets.append(batch.last_offset(), file_position_t(bytes));
    indexes->times.maybe_append(max_timestamp);
    bytes_since_index_entry = 0;
  }
  const auto size = static_cast<std::int64_t>(batch.size_in_bytes());
  bytes_since_index_entry += size;
  bytes += size;
  end = batch.next_offset();
}

void segment::cut(offset_t new_end, std::int64_t position) {
  bytes = position;
  stored_bytes = std::min(stored_bytes, position);
  end = new_end;
  indexes->offsets.truncate_to(new_end);
  indexes->times.truncate_to(new_end);
  indexes->transactions.truncate_to(new_end);
  has_aborted = !indexes->transactions.entries().empty();
  bytes_since_index_entry = 0;
  if (position == 0) first_timestamp.reset();
}

void segment::note_aborted(const aborted_range& aborted) {
  indexes->transactions.append(aborted);
  has_aborted = true;
}

bool should_roll(const segment& active, const log_config& config, const roll_question& append) {
  if (active.bytes > config.segment_bytes - append.append_bytes) return true;
  if (append.last_offset - active.base > INT32_MAX) return true;
  const auto offsets = static_cast<std::int64_t>(active.indexes->offsets.size());
  const auto times = static_cast<std::int64_t>(active.indexes->times.size());
  if (offsets >= index_entries_max(config, offset_index::entry_bytes)) return true;
  // One entry of the time index is kept for the largest timestamp, added when it is sealed.
  if (times >= index_entries_max(config, time_index::entry_bytes) - 1) return true;
  if (active.bytes == 0) return false;
  const std::int64_t waited_ms = active.first_timestamp.value_or(no_timestamp) >= 0
                                     ? append.max_timestamp - *active.first_timestamp
                                     : append.now_ms - active.created_ms;
  return waited_ms > config.segment_ms - active.roll_jitter_ms;
}

}  // namespace ringlog::storage
