#include "storage/journal/journal_checkpoint.h"

#include <array>

#include "base/crc32c.h"
#include "storage/file_names.h"
#include "storage/journal/fields.h"
#include "storage/journal/journal_files.h"

namespace ringlog::storage {

namespace {

constexpr std::uint64_t magic = 0x52494e47434b5054;  // "RINGCKPT"
constexpr std::uint16_t version = 2;                 // version 1 has no `checked from`
constexpr std::uint16_t flag_clean = 1;
constexpr std::uint16_t flag_began_clean = 2;
constexpr std::uint16_t flag_all_known = 4;
constexpr std::size_t checksum_at = 8;
constexpr std::size_t checksummed_from = 12;
constexpr std::size_t header_bytes = 88;
constexpr std::size_t log_bytes = 4 + journaled_log_bytes + 8 + 2;  // without the name
constexpr std::size_t log_bytes_of_version_1 = 4 + journaled_log_bytes + 2;
constexpr std::string_view file_name = "checkpoint";

// A block begins every file that was ever written to.
result<bool> holds_blocks(io::file_system& disk, const std::string& journal_directory) {
  TRY_ASSIGN(const bool there, disk.exists(journal_directory));
  if (!there) return false;
  TRY_ASSIGN(const auto entries, disk.list(journal_directory));
  for (const io::directory_entry& entry : entries) {
    if (!entry.name.ends_with(journal_files::suffix)) continue;
    const std::string path = join_path(journal_directory, entry.name);
    TRY_ASSIGN(const auto file, disk.open(path, io::open_mode::read));
    std::array<std::byte, sizeof(journal_format::magic)> begin{};
    TRY(file->read_at(0, begin));
    if (load_be<std::uint64_t>(begin.data()) == journal_format::magic) return true;
  }
  return false;
}

}  // namespace

byte_buffer encode_checkpoint(const journal_checkpoint& content) {
  std::size_t size = header_bytes;
  for (const auto& [number, log] : content.logs) size += log_bytes + log.name.topic.size();
  byte_buffer bytes(size);
  field_writer out(bytes.data());
  out.put(magic);
  out.put(std::uint32_t{0});
  out.put(version);
  out.put(static_cast<std::uint16_t>((content.clean ? flag_clean : 0) |
                                     (content.began_clean ? flag_began_clean : 0) |
                                     (content.all_known ? flag_all_known : 0)));
  out.put(content.identity.directory_id);
  out.put(content.identity.cluster_checksum);
  out.put(content.next_log);
  out.put(content.epoch);
  out.put(content.first_sequence);
  out.put(content.metadata.epoch.value());
  out.put(content.metadata.end);
  out.put(content.metadata.segment_base);
  out.put(content.metadata.position);
  out.put(static_cast<std::uint32_t>(content.logs.size()));
  CHECK(out.written() == header_bytes, "the header of a checkpoint", out.written());
  for (const auto& [number, log] : content.logs) {
    out.put(number);
    put_log(out, log);
    const auto checked = content.checked_from.find(number);
    const bool is_known = checked != content.checked_from.end();
    out.put(is_known ? checked->second : log.segment_base);
    out.put(static_cast<std::uint16_t>(log.name.topic.size()));
    out.put(as_bytes(log.name.topic));
  }
  store_be(bytes.data() + checksum_at, crc32c(bytes_view(bytes).subspan(checksummed_from)));
  return bytes;
}

result<journal_checkpoint> decode_checkpoint(bytes_view bytes, const std::string& path) {
  const auto damaged = [&](std::string_view why) {
    return make_error(error_code::corrupt, "{} {}", path, why);
  };
  if (bytes.size() < header_bytes) return damaged("is cut short");
  field_reader in(bytes);
  if (in.take<std::uint64_t>() != magic) return damaged("is no journal checkpoint");
  const auto checksum = in.take<std::uint32_t>();
  const auto written_by = in.take<std::uint16_t>();
  if (written_by == 0 || written_by > version) {
    return make_error(error_code::unsupported,
                      "{} was written by a newer ringlog (format version {}); open the directory "
                      "with that one",
                      path, written_by);
  }
  if (checksum != crc32c(bytes.subspan(checksummed_from))) return damaged("has a wrong checksum");
  const auto flags = in.take<std::uint16_t>();
  journal_checkpoint content;
  content.clean = (flags & flag_clean) != 0;
  content.began_clean = (flags & flag_began_clean) != 0;
  content.all_known = (flags & flag_all_known) != 0;
  content.identity.directory_id = in.take_uuid();
  content.identity.cluster_checksum = in.take<std::uint32_t>();
  content.next_log = in.take<std::uint32_t>();
  content.epoch = in.take<std::uint64_t>();
  content.first_sequence = in.take<std::uint64_t>();
  content.metadata.epoch = leader_epoch_t(in.take<std::int32_t>());
  content.metadata.end = in.take_offset();
  content.metadata.segment_base = in.take_offset();
  content.metadata.position = in.take<std::int64_t>();
  const auto count = in.take<std::uint32_t>();
  const bool has_checked_from = written_by >= 2;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!in.has(has_checked_from ? log_bytes : log_bytes_of_version_1))
      return damaged("ends within a log");
    const auto number = in.take<std::uint32_t>();
    journaled_log log = take_log(in);
    content.checked_from[number] = has_checked_from ? in.take_offset() : log.segment_base;
    const auto name_bytes = in.take<std::uint16_t>();
    if (!in.has(name_bytes)) return damaged("ends within a name");
    log.name.topic = to_string(in.take_bytes(name_bytes));
    content.logs.emplace(number, std::move(log));
  }
  if (!in.rest().empty()) return damaged("goes on after its last log");
  return content;
}

result<std::optional<journal_checkpoint>> read_checkpoint(io::file_system& disk,
                                                          const std::string& journal_directory) {
  const std::string path = join_path(journal_directory, file_name);
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there) {
    TRY_ASSIGN(const bool is_lost, holds_blocks(disk, journal_directory));
    if (is_lost) return make_error(error_code::corrupt, "{} is gone", path);
    return std::optional<journal_checkpoint>();
  }
  TRY_ASSIGN(const byte_buffer bytes,
             io::read_file(disk, path, limits::journal_checkpoint_bytes_max));
  TRY_ASSIGN(journal_checkpoint content, decode_checkpoint(bytes, path));
  return std::optional(std::move(content));
}

status write_checkpoint(io::file_system& disk, const std::string& journal_directory,
                        const journal_checkpoint& content) {
  return io::replace_file(disk, join_path(journal_directory, file_name),
                          encode_checkpoint(content));
}

}  // namespace ringlog::storage
