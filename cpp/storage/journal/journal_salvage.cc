#include "storage/journal/journal_salvage.h"

#include <fmt/format.h>

#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace ringlog::storage {

std::string to_string(const std::vector<lost_blocks>& blocks) {
  std::string text;
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    if (at > 0) text += at + 1 == blocks.size() ? " and " : ", ";
    text += fmt::format("{}", blocks[at].first);
    if (blocks[at].last > blocks[at].first) text += fmt::format(" to {}", blocks[at].last);
  }
  return text;
}

status journal_salvage::begin() {
  for (auto& [number, log] : table_.logs) {
    if (!log.is_outside) TRY(go_on_in_segments(log));
  }
  return {};
}

status journal_salvage::go_on_in_segments(journaled_log& log) {
  TRY(replay_.write_gathered());
  const std::string directory = join_path(log_directory_, log.name.to_string());
  while (true) {
    const std::string path =
        join_path(directory, segment_file_name(log.segment_base, suffixes::log));
    const auto file = outside_.disk.open(path, io::open_mode::read);
    if (!file.ok()) return file.code() == error_code::not_found ? status() : file.failure();
    TRY_ASSIGN(const std::uint64_t size, (*file)->size());
    const offset_t before = log.end;
    batch_scanner batches(**file, log.position, static_cast<std::int64_t>(size));
    while (true) {
      const auto batch = batches.next();
      if (!batch.ok() || !*batch || (*batch)->base_offset() != log.end) break;
      if (!model::validate(**batch, model::validation_level::checksum).ok()) break;
      log.end = (*batch)->next_offset();
      log.position = batches.position();
    }
    // The next segment begins where this one ended.
    if (log.end == log.segment_base || log.end == before) return {};
    const std::string next = join_path(directory, segment_file_name(log.end, suffixes::log));
    TRY_ASSIGN(const bool rolled, outside_.disk.exists(next));
    if (!rolled) return {};
    log.segment_base = log.end;
    log.position = 0;
  }
}

bool journal_salvage::is_known(std::uint32_t number) {
  if (table_.logs.contains(number)) return true;
  ++found_.nameless_entries;
  return false;
}

status journal_salvage::apply(bytes_view entries) {
  while (!entries.empty()) {
    TRY_ASSIGN(const journal_entry entry, decode_entry(entries));
    TRY(std::visit([&](const auto& what) { return apply(entry, what); }, entry.what));
  }
  return {};
}

status journal_salvage::apply(const journal_entry& entry, const journaled_log& named) {
  went_on_.insert(entry.log);
  TRY(replay_.apply(entry));
  return named.is_outside ? status() : go_on_in_segments(table_.logs.at(entry.log));
}

status journal_salvage::apply(const journal_entry& entry, const journaled_batch& piece) {
  if (!is_known(entry.log)) return {};
  const journaled_log& log = table_.logs.at(entry.log);
  // The first piece of a batch stands where the log ends; a batch whose first pieces are lost does
  // not, and its last ones are not taken.
  const bool goes_on = split_.contains(entry.log);
  const bool begins_at_end = piece.base == log.end && (piece.segment_base != log.segment_base
                                                           ? piece.position == 0
                                                           : piece.position == log.position);
  const bool is_there = piece.end <= log.end;
  if (!goes_on && !begins_at_end && !is_there) return note_gap(log, piece.base, piece.end);
  went_on_.insert(entry.log);
  if (piece.more_follows) split_.insert(entry.log);
  if (!piece.more_follows) split_.erase(entry.log);
  return is_there ? status() : replay_.apply(entry);
}

status journal_salvage::note_gap(const journaled_log& log, offset_t begin, offset_t end) {
  doubtful_log& doubt = found_.logs[log.name];
  if (!doubt.lacks_batches() || doubt.end != log.end) doubt = {log.end, begin, end};
  doubt.resumed_end = std::max(doubt.resumed_end, end);
  return {};
}

status journal_salvage::apply(const journal_entry& entry, const journaled_log_start& moved) {
  if (!is_known(entry.log)) return {};
  const journaled_log& log = table_.logs.at(entry.log);
  if (moved.start > log.end || moved.first_segment > log.segment_base) return {};
  return replay_.apply(entry);
}

status journal_salvage::apply(const journal_entry& entry, const journaled_cut& cut) {
  if (!is_known(entry.log)) return {};
  const journaled_log& log = table_.logs.at(entry.log);
  if (cut.end > log.end) return note_gap(log, cut.end, cut.end);
  went_on_.insert(entry.log);
  return replay_.apply(entry);
}

// Metadata that goes on says itself whether the topic was deleted; else the records are kept.
status journal_salvage::apply(const journal_entry& entry, const journaled_removal&) {
  if (!is_known(entry.log)) return {};
  const auto metadata = found_.logs.find(metadata_partition);
  if (metadata != found_.logs.end() && metadata->second.lacks_batches()) {
    ++found_.removals_not_done;
    return {};
  }
  found_.logs.erase(table_.logs.at(entry.log).name);
  went_on_.erase(entry.log);
  return replay_.apply(entry);
}

journal_damage journal_salvage::finish() && {
  for (const auto& [number, log] : table_.logs) {
    const auto known = found_.logs.find(log.name);
    if (known != found_.logs.end()) {
      // A gap that later blocks filled is none.
      if (known->second.end < log.end) found_.logs.erase(known);
    } else if (!went_on_.contains(number) && !log.is_outside) {
      found_.logs[log.name] = {log.end, log.end, log.end};
    }
  }
  return std::move(found_);
}

}  // namespace ringlog::storage
