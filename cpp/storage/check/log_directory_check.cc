#include "storage/check/log_directory_check.h"

#include <algorithm>

#include "storage/directory_files.h"
#include "storage/file_names.h"

namespace ringlog::storage {

namespace {
// A checkpoint that says how far each log goes.
bool is_ends_file(std::string_view name) {
  return name == file_names::recovery_points || name == file_names::high_watermarks;
}
}  // namespace

log_directory_check::log_directory_check(io::file_system& disk, std::string directory,
                                         check_report& report)
    : disk_(disk), directory_(std::move(directory)), report_(report) {}

std::string log_directory_check::path(std::string_view name) const {
  return join_path(directory_, name);
}

void log_directory_check::note(std::string_view name, std::string text) {
  report_.add({.path = path(name), .text = std::move(text)});
}

status log_directory_check::read() {
  TRY_ASSIGN(auto entries, disk_.list(directory_));
  const auto marker = read_clean_shutdown(disk_, path(file_names::clean_shutdown));
  clean_shutdown_ = marker.ok() && marker->has_value();
  if (!clean_shutdown_) {
    note(file_names::clean_shutdown,
         "not there: the last process to use the directory was killed, or uses it; the next open "
         "looks at the end of each log");
  }
  read_identity();
  recovery_points_ = read_checkpoint(file_names::recovery_points, finding_severity::fault);
  high_watermarks_ = read_checkpoint(file_names::high_watermarks, finding_severity::fault);
  cleaner_offsets_ = read_checkpoint(file_names::cleaner_offsets, finding_severity::fault);
  log_starts_ = read_checkpoint(file_names::log_starts, finding_severity::damage);
  for (const auto* entries_of : {&recovery_points_, &high_watermarks_}) {
    for (const auto& [name, offset] : *entries_of) {
      known_ends_[name] = std::max(known_ends_[name], offset);
    }
  }
  read_names(std::move(entries));
  return {};
}

void log_directory_check::read_identity() {
  const auto own = read_meta_properties(disk_, path(file_names::meta_properties));
  const auto aside = read_meta_properties(disk_, path(file_names::set_aside_meta_properties));
  if (own.ok() && *own) identity_ = *own;
  set_aside_ = aside.ok() && *aside;
  if (!identity_ && set_aside_) {
    identity_ = *aside;
    note(file_names::set_aside_meta_properties,
         "meta.properties is set aside, so that Kafka does not start here: ringlog used the "
         "directory and did not close it");
  }
  for (const auto* read : {&own, &aside}) {
    if (read->ok()) continue;
    const bool is_own = read == &own;
    const std::string file =
        path(is_own ? file_names::meta_properties : file_names::set_aside_meta_properties);
    report_.add({.severity = finding_severity::damage,
                 .path = file,
                 .text = sentence_of(read->failure(), file),
                 .remedy = "write it by hand: the cluster id is in the other nodes' files, the "
                           "node id in node.id of the configuration"});
  }
  if (own.ok() && *own && set_aside_) {
    note(file_names::set_aside_meta_properties, "meta.properties is there as well and counts");
  }
}

offset_checkpoint log_directory_check::read_checkpoint(std::string_view name,
                                                       finding_severity severity) {
  auto entries = read_offset_checkpoint(disk_, path(name));
  if (entries.ok()) return std::move(*entries);
  report_.add({.severity = severity,
               .path = path(name),
               .text = sentence_of(entries.failure(), path(name)),
               .remedy = severity == finding_severity::fault
                             ? (is_ends_file(name) && clean_shutdown_
                                    ? "it would be written again from the logs' ends"
                                    : "it would be removed; the next open then looks at all of "
                                      "each log")
                             : "bring it back from a copy; without it, records that were deleted "
                               "by DeleteRecords come back as far as their segments are there"});
  if (severity == finding_severity::fault) unreadable_.push_back(name);
  return {};
}

void log_directory_check::read_names(std::vector<io::directory_entry> entries) {
  std::ranges::sort(entries, {}, &io::directory_entry::name);
  for (const io::directory_entry& entry : entries) {
    if (!entry.is_directory) continue;
    const auto parsed = parse_directory_name(entry.name);
    if (!parsed) {
      report_.add({.severity = finding_severity::fault,
                   .path = path(entry.name),
                   .text = "the name is no partition's: Kafka refuses to start with it",
                   .remedy = "move it out of the log directory"});
      continue;
    }
    switch (parsed->kind) {
      case directory_kind::current:
        partitions_.push_back(parsed->name);
        break;
      case directory_kind::deleted:
        note(entry.name, "was being deleted; the next open removes it");
        break;
      case directory_kind::future:
        note(entry.name, "a copy that Kafka was making to move the partition; not checked");
        break;
      case directory_kind::stray:
        note(entry.name, "set aside, since metadata did not know it; not checked");
        break;
    }
  }
}

partition_request log_directory_check::request_for(const topic_partition& name,
                                                   bool compacted) const {
  const auto entry_of = [&](const offset_checkpoint& entries) {
    const auto found = entries.find(name);
    return found == entries.end() ? offset_t(0) : found->second;
  };
  partition_request request{.name = name, .directory = path(name.to_string())};
  request.clean_shutdown = clean_shutdown_;
  request.compacted = compacted || cleaner_offsets_.contains(name);
  request.log_start = entry_of(log_starts_);
  request.recovery_point = entry_of(recovery_points_);
  // Kafka acknowledges what is in the page cache.
  if (set_aside_) request.acknowledged = entry_of(high_watermarks_);
  request.journal_open = journal_open_;
  return request;
}

void log_directory_check::finish(const std::map<topic_partition, checked_partition>& checked) {
  for (const auto& [name, one] : checked) {
    check_end(one, file_names::recovery_points, recovery_points_, "was on disk");
    check_end(one, file_names::high_watermarks, high_watermarks_, "was acknowledged");
  }
  plan_rewrites(checked);
}

void log_directory_check::check_end(const checked_partition& one, std::string_view file,
                                    const offset_checkpoint& entries, std::string_view meaning) {
  const auto found = entries.find(one.name);
  if (found == entries.end() || found->second <= one.log_end) return;
  const bool is_flushed = file == file_names::recovery_points;
  finding wrong{.path = path(file), .offset = found->second};
  wrong.text = fmt::format("everything of {} below offset {} {}, and its log ends at {}",
                           one.name.to_string(), found->second, meaning, one.log_end);
  if (clean_shutdown_ || is_flushed || (set_aside_ && !journal_open_)) {
    wrong.severity = finding_severity::damage;
    wrong.remedy = "bring the log's segments back from a copy";
  }
  report_.add(std::move(wrong));
}

void log_directory_check::plan_rewrites(
    const std::map<topic_partition, checked_partition>& checked) {
  for (const std::string_view name : unreadable_) {
    const std::string file = path(name);
    if (!clean_shutdown_ || !is_ends_file(name)) {
      report_.plan(fmt::format("remove {}", file),
                   [&disk = disk_, file] { return disk.remove(file); });
      continue;
    }
    offset_checkpoint ends;
    for (const auto& [partition, one] : checked) {
      if (partition != metadata_partition) ends[partition] = one.log_end;
    }
    report_.plan(fmt::format("write {} again from the logs' ends", file),
                 [&disk = disk_, file, ends] { return write_offset_checkpoint(disk, file, ends); });
  }
}

}  // namespace ringlog::storage
