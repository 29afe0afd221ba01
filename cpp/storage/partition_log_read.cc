// The reading half of partition_log.

#include <algorithm>

#include "codec/codec.h"
#include "model/record.h"
#include "storage/file_names.h"
#include "storage/log_state.h"

namespace ringlog::storage {

namespace {

// What a search by offset in the sparse index may overshoot.
constexpr std::int64_t index_slack_bytes = 8 * limits::KiB;
constexpr std::int64_t search_bytes = 256 * limits::KiB;

// Where to read in one segment; taken under the log's mutex, used outside of it.
struct file_range {
  std::shared_ptr<segment> of;
  std::int64_t bytes_end = 0;               // of the file's durable part
  std::optional<file_position_t> position;  // from the segment's own index
};

struct batch_run {
  byte_buffer bytes;
  std::size_t begin = 0;
  std::size_t end = 0;
  offset_t end_offset{no_offset};
};

struct run_bounds {
  offset_t from;
  offset_t to;
  std::int64_t bytes_max;
  bool min_one_batch;
};

// Finds the whole batches that answer `bounds` at the front of run.bytes. False when the first one
// does not fit into what was read: *bytes_needed is then what must be read from the same position.
result<bool> take_batches(batch_run& run, const run_bounds& bounds, std::size_t* bytes_needed) {
  std::size_t at = 0;
  run.begin = run.end = 0;
  while (true) {
    const bytes_view rest = bytes_view(run.bytes).subspan(at);
    TRY_ASSIGN(const auto size, model::batch_size_at(rest));
    if (!size || *size > rest.size()) {
      *bytes_needed = at + size.value_or(model::batch_header_bytes);
      return run.end_offset != no_offset;
    }
    const model::batch_view batch(rest.first(*size));
    TRY(model::validate(batch, model::validation_level::header));
    const bool wanted = batch.last_offset() >= bounds.from;
    if (batch.base_offset() >= bounds.to) return true;
    if (wanted) {
      const bool first = run.end_offset == no_offset;
      const std::size_t total = (first ? 0 : run.end - run.begin) + *size;
      const bool fits = static_cast<std::int64_t>(total) <= bounds.bytes_max;
      if (!fits && !(first && bounds.min_one_batch)) return true;
      if (first) run.begin = at;
      run.end = at + *size;
      run.end_offset = batch.next_offset();
    }
    at += *size;
  }
}

result<byte_buffer> decompressed_records(const model::batch_view& batch) {
  if (batch.compression() == compression_type::none) return to_buffer(batch.records());
  return codec::decompress(batch.compression(), batch.records());
}

// The first record of the batch at or past both bounds.
result<std::optional<timestamped_offset>> find_record(const model::batch_view& batch,
                                                      offset_t offset_min,
                                                      std::int64_t timestamp_min) {
  TRY_ASSIGN(const byte_buffer bytes, decompressed_records(batch));
  model::record_iterator records(batch, bytes);
  for (model::record_view record; records.next(record);) {
    if (record.offset >= offset_min && record.timestamp >= timestamp_min) {
      return std::optional(
          timestamped_offset{record.offset, record.timestamp, batch.partition_leader_epoch()});
    }
  }
  TRY(records.outcome());
  return std::optional<timestamped_offset>();
}

}  // namespace

// ---- state

offset_t partition_log::state::bound(read_bound where) const {
  switch (where) {
    case read_bound::last_stable:
      return offsets.last_stable;
    case read_bound::high_watermark:
      return offsets.high_watermark;
    case read_bound::log_end:
      break;
  }
  return offsets.log_end;
}

std::size_t partition_log::state::segment_of(offset_t offset) const {
  const auto after =
      std::upper_bound(segments.begin(), segments.end(), offset,
                       [](offset_t value, const auto& known) { return value < known->base; });
  return after == segments.begin() ? 0 : static_cast<std::size_t>(after - segments.begin()) - 1;
}

namespace {

// Batches from the tail into `answer`. False when the tail does not reach back to `from`.
bool read_tail(const log_state& log, const run_bounds& bounds, log_read& answer) {
  auto at = log.tail.find(bounds.from);
  if (!at) return false;
  for (; *at < log.tail.size(); ++*at) {
    const tail_batch& next = log.tail.at(*at);
    const auto bytes = static_cast<std::int64_t>(next.batch.bytes.size());
    const bool first = answer.batches.empty();
    if (next.base >= bounds.to) break;
    if (answer.bytes + bytes > bounds.bytes_max && !(first && bounds.min_one_batch)) break;
    answer.batches.push_back(next.batch);
    answer.bytes += bytes;
    answer.end_offset = next.end;
  }
  return true;
}

file_range range_of(const log_state& log, std::size_t number, offset_t from) {
  file_range range;
  range.of = log.segments[number];
  range.bytes_end = range.of->stored_bytes;
  if (range.of->indexes != nullptr) range.position = range.of->indexes->offsets.lookup(from);
  return range;
}

// Reads the batches that `bounds` asks for from one segment's file; an empty run when it has none.
result<batch_run> read_range(log_context& context, const file_range& range,
                             const run_bounds& bounds) {
  batch_run run;
  if (range.bytes_end == 0) return run;
  std::int64_t position = 0;
  if (range.position) {
    position = range.position->value();
  } else if (bounds.from > range.of->base) {
    TRY_ASSIGN(const auto indexes, context.cache.indexes(*range.of));
    position = indexes->offsets.lookup(bounds.from).value();
  }
  TRY_ASSIGN(const auto file, context.cache.log_file(*range.of));
  std::int64_t wanted =
      std::min(bounds.bytes_max, limits::fetch_answer_bytes_max) + index_slack_bytes;
  while (position < range.bytes_end) {
    const std::int64_t bytes = std::min(wanted, range.bytes_end - position);
    run.bytes.resize(static_cast<std::size_t>(bytes));
    TRY_ASSIGN(const std::size_t got,
               file->read_at(static_cast<std::uint64_t>(position), run.bytes));
    run.bytes.resize(got);
    std::size_t needed = 0;
    auto found = take_batches(run, bounds, &needed);
    if (!found.ok()) {
      return std::move(found.failure())
          .with_context(fmt::format("{} near position {}, offset {}", range.of->path(suffixes::log),
                                    position, bounds.from));
    }
    if (*found) break;
    if (static_cast<std::int64_t>(got) < bytes || bytes == range.bytes_end - position) break;
    wanted = std::max<std::int64_t>(2 * wanted, static_cast<std::int64_t>(needed));
  }
  return run;
}

void collect_aborted(std::vector<aborted_transaction>& found,
                     const std::vector<aborted_range>& ranges) {
  for (const aborted_range& range : ranges) {
    found.push_back({range.producer_id, range.first_offset});
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& left, const auto& right) {
    return left.first_offset < right.first_offset;
  });
}

// Adds the aborted transactions that concern [from, answer.end_offset).
status add_aborted(const log_state& log, offset_t from, read_source source, log_read& answer) {
  const offset_t to = answer.end_offset;
  std::vector<aborted_range> ranges;
  std::vector<std::shared_ptr<segment>> unread;  // whose indexes the cache has
  {
    const std::lock_guard lock(log.mutex);
    for (std::size_t at = log.segment_of(from); at < log.segments.size(); ++at) {
      const auto& of = log.segments[at];
      if (!of->has_aborted) continue;
      if (of->indexes == nullptr) {
        unread.push_back(of);
      } else if (of->indexes->transactions.collect(from, to, ranges)) {
        break;
      }
    }
  }
  if (!unread.empty() && source == read_source::memory) {
    answer.needs_files = true;
    return {};
  }
  for (const auto& of : unread) {
    TRY_ASSIGN(const auto indexes, log.context.cache.indexes(*of));
    if (indexes->transactions.collect(from, to, ranges)) break;
  }
  collect_aborted(answer.aborted, ranges);
  return {};
}

error out_of_range(const log_state& log, offset_t offset) {
  return make_error(error_code::offset_out_of_range,
                    "{}: offset {} is outside of the log, which has {} to {}", log.name.to_string(),
                    offset, log.offsets.log_start, log.offsets.log_end);
}

// The file part of a read: segments from the one that holds `bounds.from` on until one has
// something.
result<batch_run> read_files(const log_state& log, const run_bounds& bounds) {
  run_bounds left = bounds;
  while (true) {
    file_range range;
    std::uint64_t layout;
    offset_t next_base;
    {
      const std::lock_guard lock(log.mutex);
      if (left.from < log.offsets.log_start) return out_of_range(log, left.from);
      const std::size_t number = log.segment_of(left.from);
      range = range_of(log, number, left.from);
      layout = log.layout;
      next_base = number + 1 < log.segments.size() ? log.segments[number + 1]->base : no_offset;
    }
    auto run = read_range(log.context, range, left);
    {
      const std::lock_guard lock(log.mutex);
      if (log.layout != layout) continue;  // cut or deleted meanwhile: look again
    }
    if (!run.ok() || run->end_offset != no_offset) return run;
    if (next_base == no_offset || next_base >= left.to) return run;
    left.from = next_base;  // compaction left nothing of that segment's end
  }
}

// As partition_log::read for a position that is known to be in range.
result<log_read> read_between(const log_state& log, const run_bounds& bounds,
                              read_source source = read_source::memory_and_files) {
  log_read answer;
  {
    const std::lock_guard lock(log.mutex);
    if (log.deleted) return *log.refusal;
    answer.offsets = log.offsets;
    if (bounds.from >= bounds.to || read_tail(log, bounds, answer)) return answer;
  }
  if (source == read_source::memory) {
    answer.needs_files = true;
    return answer;
  }
  TRY_ASSIGN(auto run, read_files(log, bounds));
  if (run.end_offset == no_offset) return answer;
  auto owner = std::make_shared<const byte_buffer>(std::move(run.bytes));
  const bytes_view bytes = bytes_view(*owner).subspan(run.begin, run.end - run.begin);
  answer.bytes = static_cast<std::int64_t>(bytes.size());
  answer.batches.push_back({std::move(owner), bytes});
  answer.end_offset = run.end_offset;
  return answer;
}

}  // namespace

// ---- partition_log

result<log_read> partition_log::read(offset_t from, std::int64_t bytes_max, read_bound bound,
                                     bool min_one_batch, read_source source) const {
  run_bounds bounds{from, no_offset, bytes_max, min_one_batch};
  {
    const std::lock_guard lock(state_->mutex);
    const log_offsets& now = state_->offsets;
    if (from < now.log_start || from > now.log_end) {
      return out_of_range(*state_, from);
    }
    bounds.to = state_->bound(bound);
  }
  TRY_ASSIGN(log_read answer, read_between(*state_, bounds, source));
  if (bound == read_bound::last_stable && !answer.batches.empty()) {
    TRY(add_aborted(*state_, from, source, answer));
  }
  return answer;
}

result<std::optional<timestamped_offset>> partition_log::offset_for_timestamp(
    std::int64_t timestamp, read_bound bound) const {
  using found_offset = std::optional<timestamped_offset>;
  std::shared_ptr<segment> start;
  run_bounds bounds{no_offset, no_offset, search_bytes, true};
  offset_t log_start;
  std::optional<timestamp_offset> indexed;
  {
    const std::lock_guard lock(state_->mutex);
    log_start = state_->offsets.log_start;
    bounds.to = state_->bound(bound);
    for (const auto& of : state_->segments) {
      if (of->max_timestamp.timestamp < timestamp || of->end <= log_start) continue;
      start = of;
      break;
    }
    if (start == nullptr) return found_offset();
    if (start->indexes != nullptr) indexed = start->indexes->times.lookup(timestamp);
  }
  if (!indexed) {
    TRY_ASSIGN(const auto indexes, state_->context.cache.indexes(*start));
    indexed = indexes->times.lookup(timestamp);
  }
  bounds.from = std::max(log_start, indexed->offset);
  while (bounds.from < bounds.to) {
    TRY_ASSIGN(const log_read answer, read_between(*state_, bounds));
    if (answer.batches.empty()) break;
    for (const shared_bytes& piece : answer.batches) {
      for (bytes_view rest = piece.bytes; !rest.empty();) {
        const model::batch_view batch(rest.first(model::batch_header_view(rest).size_in_bytes()));
        rest = rest.subspan(batch.bytes().size());
        if (batch.max_timestamp() < timestamp) continue;
        TRY_ASSIGN(const auto found, find_record(batch, log_start, timestamp));
        if (found) return found;
      }
    }
    bounds.from = answer.end_offset;
  }
  return found_offset();
}

result<std::optional<timestamped_offset>> partition_log::offset_of_max_timestamp() const {
  using found_offset = std::optional<timestamped_offset>;
  timestamp_offset largest;
  run_bounds bounds{no_offset, no_offset, 1, true};
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& of : state_->segments) {
      if (of->max_timestamp.timestamp > largest.timestamp) largest = of->max_timestamp;
    }
    bounds.to = state_->offsets.log_end;
  }
  if (largest.timestamp == no_timestamp) return found_offset();
  bounds.from = largest.offset;
  TRY_ASSIGN(const log_read answer, read_between(*state_, bounds));
  if (answer.batches.empty()) return found_offset();
  const bytes_view bytes = answer.batches.front().bytes;
  const model::batch_view batch(bytes.first(model::batch_header_view(bytes).size_in_bytes()));
  return find_record(batch, batch.base_offset(), largest.timestamp);
}

}  // namespace ringlog::storage
