#include "storage/checkpoint_file.h"

#include <array>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "base/parse.h"

namespace ringlog::storage {

namespace {

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    parts.push_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

// True when there are exactly so many fields.
template <std::size_t count>
bool split_fields(std::string_view text, std::array<std::string_view, count>& fields) {
  for (std::size_t at = 0; at + 1 < count; ++at) {
    const std::size_t end = text.find(' ');
    if (end == text.npos) return false;
    fields[at] = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  fields.back() = text;
  return text.find(' ') == text.npos;
}

error bad_line(const std::string& path, std::size_t line, std::string_view text) {
  return make_error(error_code::corrupt, "{}: line {} is no entry of a checkpoint: '{}'", path,
                    line + 1, text.substr(0, 200));
}

// The lines after version and count.
result<std::vector<std::string_view>> checkpoint_entries(std::string_view text,
                                                         const std::string& path) {
  std::vector<std::string_view> lines = split_lines(text);
  if (lines.size() < 2 || !parse_integer<std::int64_t>(lines[0]) ||
      !parse_integer<std::int64_t>(lines[1])) {
    return make_error(error_code::corrupt, "{}: no checkpoint file (version and count missing)",
                      path);
  }
  if (*parse_integer<std::int64_t>(lines[0]) != 0) {
    return make_error(error_code::unsupported, "{}: checkpoint version {} is not known", path,
                      lines[0]);
  }
  const std::int64_t count = *parse_integer<std::int64_t>(lines[1]);
  lines.erase(lines.begin(), lines.begin() + 2);
  if (count != static_cast<std::int64_t>(lines.size())) {
    return make_error(error_code::corrupt, "{}: {} entries announced, {} there", path, count,
                      lines.size());
  }
  return lines;
}

// An absent file reads as empty text.
result<std::string> read_text(io::file_system& disk, const std::string& path) {
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there) return std::string();
  TRY_ASSIGN(const byte_buffer content,
             io::read_file(disk, path, limits::checkpoint_file_bytes_max));
  return to_string(content);
}

std::string header(std::size_t count) { return fmt::format("0\n{}\n", count); }

}  // namespace

result<offset_checkpoint> read_offset_checkpoint(io::file_system& disk, const std::string& path) {
  TRY_ASSIGN(const std::string text, read_text(disk, path));
  offset_checkpoint entries;
  if (text.empty()) return entries;
  TRY_ASSIGN(const auto lines, checkpoint_entries(text, path));
  std::array<std::string_view, 3> fields;
  for (std::size_t line = 0; line < lines.size(); ++line) {
    if (!split_fields(lines[line], fields)) return bad_line(path, line + 2, lines[line]);
    const auto partition = parse_integer<std::int32_t>(fields[1]);
    const auto offset = parse_integer<std::int64_t>(fields[2]);
    if (!partition || !offset || *partition < 0 || *offset < 0) {
      return bad_line(path, line + 2, lines[line]);
    }
    topic_partition name{std::string(fields[0]), partition_id_t(*partition)};
    entries.insert_or_assign(entries.end(), std::move(name), offset_t(*offset));  // in our order
  }
  return entries;
}

status write_offset_checkpoint(io::file_system& disk, const std::string& path,
                               const offset_checkpoint& entries) {
  std::string text = header(entries.size());
  for (const auto& [name, offset] : entries) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", name.topic, name.partition, offset);
  }
  return io::replace_file(disk, path, as_bytes(text));
}

result<std::vector<epoch_entry>> read_epoch_checkpoint(io::file_system& disk,
                                                       const std::string& path) {
  TRY_ASSIGN(const std::string text, read_text(disk, path));
  std::vector<epoch_entry> entries;
  if (text.empty()) return entries;
  TRY_ASSIGN(const auto lines, checkpoint_entries(text, path));
  std::array<std::string_view, 2> fields;
  for (std::size_t line = 0; line < lines.size(); ++line) {
    if (!split_fields(lines[line], fields)) return bad_line(path, line + 2, lines[line]);
    const auto epoch = parse_integer<std::int32_t>(fields[0]);
    const auto start = parse_integer<std::int64_t>(fields[1]);
    if (!epoch || !start || *epoch < 0 || *start < 0) {
      return bad_line(path, line + 2, lines[line]);
    }
    const epoch_entry entry{leader_epoch_t(*epoch), offset_t(*start)};
    if (!entries.empty() && (entry.epoch <= entries.back().epoch ||
                             entry.start_offset <= entries.back().start_offset)) {
      return make_error(error_code::corrupt, "{}: leader epochs do not rise at line {}", path,
                        line + 3);
    }
    entries.push_back(entry);
  }
  return entries;
}

std::string epoch_checkpoint_text(const std::vector<epoch_entry>& entries) {
  std::string text = header(entries.size());
  for (const epoch_entry& entry : entries) {
    fmt::format_to(std::back_inserter(text), "{} {}\n", entry.epoch, entry.start_offset);
  }
  return text;
}

}  // namespace ringlog::storage
