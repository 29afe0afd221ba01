#include "storage/journal/journal_replay.h"

#include <algorithm>

#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/segment.h"
#include "storage/swap_files.h"

namespace ringlog::storage {

namespace {

constexpr std::size_t open_files_max = 256;

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

status journal_replay::apply(const journal_entry& entry) {
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
  checked_from_[number] = named.segment_base;
  table_.next_log = std::max(table_.next_log, number + 1);
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_batch& piece) {
  TRY_ASSIGN(journaled_log * log, find(number));
  TRY_ASSIGN(const bool is_own, enter(number, *log));
  if (!is_own) return {};
  TRY_ASSIGN(io::file * target, segment_file(number, *log, piece.segment_base));
  TRY(target->write_at(static_cast<std::uint64_t>(piece.position), piece.bytes));
  if (piece.more_follows) return {};
  ++counts_.batches;
  if (piece.end <= log->end) return {};
  log->end = piece.end;
  log->segment_base = piece.segment_base;
  log->position = piece.position + static_cast<std::int64_t>(piece.bytes.size());
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_log_start& moved) {
  TRY_ASSIGN(journaled_log * log, find(number));
  ++counts_.log_starts;
  log->log_start = std::max(log->log_start, moved.start);
  first_segments_[number] = moved.first_segment;
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_cut& cut) {
  TRY_ASSIGN(journaled_log * log, find(number));
  ++counts_.cuts;
  TRY_ASSIGN(const bool is_own, enter(number, *log));
  if (is_own) TRY(remove_behind(number, *log, cut));
  log->end = cut.end;
  log->segment_base = cut.segment_base;
  log->position = cut.position;
  log->log_start = std::min(log->log_start, cut.end);
  checked_from_[number] = std::min(checked_from_[number], cut.segment_base);
  return {};
}

status journal_replay::apply(std::uint32_t number, const journaled_removal&) {
  TRY_ASSIGN(const journaled_log* log, find(number));
  ++counts_.removals;
  TRY_ASSIGN(const bool there, outside_.disk.exists(directory_of(*log)));
  if (there) {
    TRY_ASSIGN(const bool is_own, enter(number, *log));
    std::erase_if(files_, [&](const auto& open) { return open.first.first == number; });
    if (is_own) TRY(outside_.disk.remove_tree(directory_of(*log)));
  }
  entered_.erase(number);
  first_segments_.erase(number);
  table_.logs.erase(number);
  return {};
}

result<bool> journal_replay::enter(std::uint32_t number, const journaled_log& log) {
  const auto known = entered_.find(number);
  if (known != entered_.end()) return known->second;
  const std::string directory = directory_of(log);
  const std::string id_file = join_path(directory, file_names::partition_metadata);
  TRY_ASSIGN(const bool there, outside_.disk.exists(directory));
  if (!there) TRY(outside_.disk.make_directories(directory));
  TRY_ASSIGN(const bool has_id, outside_.disk.exists(id_file));
  bool is_own = true;
  if (has_id) {
    const auto id = read_partition_metadata(outside_.disk, id_file);
    // What a crash left of the file that names the id is written again.
    if (id.ok() && *id) is_own = **id == log.topic_id;
    if (!id.ok()) TRY(write_partition_metadata(outside_.disk, id_file, log.topic_id));
  } else if (!log.topic_id.is_zero()) {
    TRY(write_partition_metadata(outside_.disk, id_file, log.topic_id));
  }
  if (is_own) entered_directories_.push_back(directory);
  entered_.emplace(number, is_own);
  return is_own;
}

result<io::file*> journal_replay::segment_file(std::uint32_t number, const journaled_log& log,
                                               offset_t base) {
  const segment_key key{number, base};
  const auto known = files_.find(key);
  if (known != files_.end()) return known->second.get();
  if (files_.size() >= open_files_max) files_.clear();
  const std::string path = join_path(directory_of(log), segment_file_name(base, suffixes::log));
  TRY_ASSIGN(auto opened, outside_.disk.open(path, io::open_mode::create));
  if (written_.insert(key).second) written_files_.push_back(path);
  return files_.emplace(key, std::move(opened)).first->second.get();
}

status journal_replay::finish() {
  files_.clear();
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
      if (entry.name.ends_with(suffixes::log)) files_.erase({number, *base});
      TRY(outside_.disk.remove(path));
    } else if (*base == cut.segment_base && entry.name.ends_with(suffixes::log)) {
      if (static_cast<std::int64_t>(entry.size) <= cut.position) continue;
      TRY_ASSIGN(io::file * last, segment_file(number, log, *base));
      TRY(last->resize(static_cast<std::uint64_t>(cut.position)));
    }
  }
  return {};
}

status journal_replay::remove_segments_before(journaled_log& log, offset_t first) {
  const std::string directory = directory_of(log);
  TRY_ASSIGN(const auto entries, outside_.disk.list(directory));
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
