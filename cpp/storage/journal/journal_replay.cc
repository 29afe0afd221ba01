#include "storage/journal/journal_replay.h"

#include <algorithm>

#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/segment.h"
#include "storage/swap_files.h"

namespace ringlog::storage {

namespace {

constexpr std::size_t gathered_bytes_max = 64 << 20;

}  // namespace

std::string journal_replay::directory_of(const journaled_log& log) const {
  return join_path(log_directory_, log.name.to_string());
}

status journal_replay::apply(bytes_view entries) {
  while (!entries.empty()) {
    TRY_ASSIGN(const journal_entry entry, decode_entry(entries));
    TRY(apply(entry));
  }
  return {};
}

// The checkpoint's first block may still have entries of a log that was removed before it.
status journal_replay::apply(const journal_entry& entry) {
  const bool names = std::holds_alternative<journaled_log>(entry.what);
  if (!names && entry.log < named_before_ && !table_.logs.contains(entry.log)) return {};
  return std::visit([&](const auto& what) { return apply(entry.log, what); }, entry.what);
}

result<journaled_log*> journal_replay::find(std::uint32_t number) {
  const auto found = table_.logs.find(number);
  if (found != table_.logs.end()) return &found->second;
  return make_error(error_code::corrupt, "the journal has an entry of log {}, which nothing named",
                    number);
}

// The checkpoint may know a later state of the log. The entries from here on lead there again.
status journal_replay::apply(std::uint32_t number, const journaled_log& named) {
  ++counts_.new_logs;
  table_.logs.insert_or_assign(number, named);
  table_.check_from(number, named.segment_base);
  table_.next_log = std::max(table_.next_log, number + 1);
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_batch& batch) {
  TRY_ASSIGN(journaled_log * log, find(number));
  TRY_ASSIGN(const bool is_own, enter(number, *log));
  if (!is_own) return {};
  if (gathered_.size() + batch.bytes.size() > gathered_bytes_max) TRY(write_gathered());
  pieces_.push_back(
      {{number, batch.segment_base}, batch.position, gathered_.size(), batch.bytes.size()});
  append(gathered_, batch.bytes);
  if (batch.more_follows) return {};
  ++counts_.batches;
  if (batch.end <= log->end) return {};
  log->end = batch.end;
  log->segment_base = batch.segment_base;
  log->position = batch.position + static_cast<std::int64_t>(batch.bytes.size());
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_log_start& moved) {
  TRY_ASSIGN(journaled_log * log, find(number));
  ++counts_.log_starts;
  log->log_start = moved.start;
  first_segments_[number] = moved.first_segment;
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_cut& cut) {
  TRY_ASSIGN(journaled_log * log, find(number));
  ++counts_.cuts;
  TRY(write_gathered());
  TRY_ASSIGN(const bool is_own, enter(number, *log));
  if (is_own) TRY(remove_behind(number, *log, cut));
  log->end = cut.end;
  log->segment_base = cut.segment_base;
  log->position = cut.position;
  log->log_start = std::min(log->log_start, cut.end);
  table_.check_from(number, cut.segment_base);
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_removal&) {
  TRY_ASSIGN(const journaled_log* log, find(number));
  ++counts_.removals;
  TRY_ASSIGN(const bool there, outside_.disk.exists(directory_of(*log)));
  if (there) {
    TRY_ASSIGN(const bool is_own, enter(number, *log));
    std::erase_if(pieces_, [&](const piece& each) { return each.where.first == number; });
    if (is_own) TRY(outside_.disk.remove_tree(directory_of(*log)));
  }
  entered_.erase(number);
  first_segments_.erase(number);
  table_.checked_from.erase(number);
  table_.logs.erase(number);
  return {};
}

result<bool> journal_replay::enter(std::uint32_t number, const journaled_log& log) {
  const auto known = entered_.find(number);
  if (known != entered_.end()) return known->second;
  TRY_ASSIGN(const bool is_own, has_own_id(log));
  entered_.emplace(number, is_own);
  return is_own;
}

result<bool> journal_replay::has_own_id(const journaled_log& log) {
  const std::string directory = directory_of(log);
  std::string id_file = join_path(directory, file_names::partition_metadata);
  const auto id = read_partition_metadata(outside_.disk, id_file);
  const bool has_id = id.ok() && *id;
  if (has_id && **id != log.topic_id) return false;
  if (!has_id) {  // a crash left nothing of it, or half
    TRY(outside_.disk.make_directories(directory));
    if (!id.ok() || !log.topic_id.is_zero()) {
      TRY(write_partition_metadata(outside_.disk, id_file, log.topic_id));
    }
  }
  // Also what is there may be the work of a replay that nothing has synced.
  written_.add_directory(log_directory_);
  written_.add_directory(directory);
  written_.add_file(std::move(id_file));
  return true;
}

// Segment by segment; what was written twice keeps its order.
status journal_replay::write_gathered() {
  std::ranges::stable_sort(pieces_, {}, &piece::where);
  std::unique_ptr<io::file> target;
  for (std::size_t at = 0; at < pieces_.size(); ++at) {
    const piece& next = pieces_[at];
    if (at == 0 || next.where != pieces_[at - 1].where) {
      TRY_ASSIGN(target, open_segment(next.where));
    }
    TRY(target->write_at(static_cast<std::uint64_t>(next.position),
                         bytes_view(gathered_).subspan(next.begin, next.size)));
  }
  pieces_.clear();
  gathered_.clear();
  return {};
}

result<std::unique_ptr<io::file>> journal_replay::open_segment(const segment_key& where) {
  const std::string directory = directory_of(table_.logs.at(where.first));
  const std::string path = join_path(directory, segment_file_name(where.second, suffixes::log));
  written_.add_file(path);
  written_.add_directory(directory);
  return outside_.disk.open(path, io::open_mode::create);
}

status journal_replay::finish() {
  TRY(write_gathered());
  gathered_ = {};
  for (const auto& [number, first] : first_segments_) {
    journaled_log& log = table_.logs.at(number);
    TRY_ASSIGN(const bool there, outside_.disk.exists(directory_of(log)));
    if (!there) continue;
    TRY_ASSIGN(const bool is_own, enter(number, log));
    if (is_own) TRY(remove_segments_before(log, first));
  }
  return {};
}

// What was cut must not stand between the batches that come next, nor in the segments behind them.
status journal_replay::remove_behind(std::uint32_t number, const journaled_log& log,
                                     const journaled_cut& cut) {
  const std::string directory = directory_of(log);
  TRY_ASSIGN(const auto entries, outside_.disk.list(directory));
  for (const io::directory_entry& entry : entries) {
    const auto base = offset_of_file(entry.name);
    if (!base) continue;
    const std::string path = join_path(directory, entry.name);
    if (entry.name.ends_with(suffixes::producer_snapshot)) {
      if (*base > cut.end) TRY(outside_.disk.remove(path));
    } else if (*base > cut.segment_base) {
      TRY(outside_.disk.remove(path));
    } else if (*base == cut.segment_base && entry.name.ends_with(suffixes::log)) {
      if (static_cast<std::int64_t>(entry.size) <= cut.position) continue;
      TRY_ASSIGN(const auto last, open_segment({number, *base}));
      TRY(last->resize(static_cast<std::uint64_t>(cut.position)));
    }
  }
  return {};
}

status journal_replay::remove_segments_before(journaled_log& log, offset_t first) {
  const std::string directory = directory_of(log);
  TRY_ASSIGN(const auto entries, outside_.disk.list_names(directory));
  for (const io::directory_entry& entry : entries) {
    const auto base = offset_of_file(entry.name);
    if (!base || *base >= first || !entry.name.ends_with(suffixes::log)) continue;
    TRY(remove_segment_files(outside_.disk, segment(directory, *base, outside_.clock.wall_ms())));
  }
  if (log.segment_base < first) {  // everything is gone: the log goes on where it ended
    log.end = log.segment_base = first;
    log.position = 0;
  }
  return {};
}

}  // namespace ringlog::storage
