#include "storage/swap_files.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace ringlog::storage {

namespace {

struct file_name {
  std::string name;
  offset_t offset;
};

// Where the log in this file ends.
result<offset_t> end_of(io::file_system& disk, const std::string& path, offset_t base) {
  TRY_ASSIGN(const auto file, disk.open(path, io::open_mode::read));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  batch_scanner scanner(*file, 0, static_cast<std::int64_t>(size));
  offset_t end = base;
  while (true) {
    TRY_ASSIGN(const auto batch, scanner.next());
    if (!batch) return end;
    end = batch->next_offset();
  }
}

std::string without(const std::string& name, std::string_view suffix) {
  return name.substr(0, name.size() - suffix.size());
}

}  // namespace

status finish_swaps(io::file_system& disk, log_sink& sink, const std::string& directory) {
  TRY_ASSIGN(const auto entries, disk.list(directory));
  std::vector<file_name> swaps;
  std::vector<file_name> others;
  std::vector<std::string> dropped;
  std::optional<offset_t> first_cleaned;
  for (const io::directory_entry& entry : entries) {
    const auto offset = offset_of_file(entry.name);
    if (entry.is_directory || !offset) continue;
    if (entry.name.ends_with(suffixes::deleted)) {
      // KRaft snapshots in deletion belong to the metadata log.
      const std::string base = without(entry.name, suffixes::deleted);
      if (!base.ends_with(suffixes::kraft_snapshot)) dropped.push_back(entry.name);
    } else if (entry.name.ends_with(suffixes::cleaned)) {
      first_cleaned = std::min(first_cleaned.value_or(*offset), *offset);
      dropped.push_back(entry.name);
    } else if (entry.name.ends_with(suffixes::swap)) {
      swaps.push_back({entry.name, *offset});
    } else {
      others.push_back({entry.name, *offset});
    }
  }
  // A swap file at or past a cleaned one belongs to a split that did not end (KAFKA-6264).
  for (const file_name& file : swaps) {
    if (first_cleaned && file.offset >= *first_cleaned) dropped.push_back(file.name);
  }
  std::erase_if(
      swaps, [&](const file_name& file) { return first_cleaned && file.offset >= *first_cleaned; });

  std::optional<offset_t> begin;
  offset_t end{0};
  for (const file_name& file : swaps) {
    if (!without(file.name, suffixes::swap).ends_with(suffixes::log)) continue;
    TRY_ASSIGN(const offset_t file_end, end_of(disk, join_path(directory, file.name), file.offset));
    begin = std::min(begin.value_or(file.offset), file.offset);
    end = std::max(end, file_end);
  }
  for (const file_name& file : others) {
    if (begin && file.offset >= *begin && file.offset < end) dropped.push_back(file.name);
  }
  for (const std::string& name : dropped) {
    sink.log(log_level::info, "{}: removing what an interrupted compaction or deletion left: {}",
             directory, name);
    TRY(disk.remove(join_path(directory, name)));
  }
  for (const file_name& file : swaps) {
    TRY(disk.rename(join_path(directory, file.name),
                    join_path(directory, without(file.name, suffixes::swap))));
  }
  if (dropped.empty() && swaps.empty()) return {};
  return disk.sync_directory(directory);
}

status remove_segment_files(io::file_system& disk, const segment& of) {
  for (const std::string_view suffix : {suffixes::log, suffixes::offset_index, suffixes::time_index,
                                        suffixes::transaction_index, suffixes::producer_snapshot}) {
    const std::string path = of.path(suffix);
    TRY_ASSIGN(const bool there, disk.exists(path));
    if (there) TRY(disk.remove(path));
  }
  return {};
}

}  // namespace ringlog::storage
