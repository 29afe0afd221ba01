#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/file.h"
#include "storage/check/check_report.h"
#include "storage/check/partition_check.h"
#include "storage/checkpoint_file.h"
#include "storage/log_manager.h"

namespace ringlog::storage {

// The files of a log directory beside its partitions, and the names of the partitions. On its
// caller's stack:
//
//   read(), then check_partition() with request_for() of each partition(), then finish().
class log_directory_check {
 public:
  log_directory_check(io::file_system& disk, std::string directory, check_report& report);

  // Identity, marker, checkpoints and directory names. Fails when the directory cannot be listed.
  status read();

  // The journal beside the directory was not closed. Before request_for().
  void expect_journal() { journal_open_ = true; }

  bool is_clean() const { return clean_shutdown_; }
  // meta.properties has the name that it has while ringlog uses the directory.
  bool is_set_aside() const { return set_aside_; }
  const std::optional<directory_identity>& identity() const { return identity_; }
  // Of the current partitions, the metadata log among them.
  const std::vector<topic_partition>& partitions() const { return partitions_; }

  partition_request request_for(const topic_partition& name, bool compacted) const;

  // Partitions that a checkpoint says hold or held records, with the largest offset it names.
  const std::map<topic_partition, offset_t>& known_ends() const { return known_ends_; }

  // Holds the checkpoints against the partitions, all of which were checked.
  void finish(const std::map<topic_partition, checked_partition>& checked);

 private:
  void read_identity();
  void read_names(std::vector<io::directory_entry> entries);
  offset_checkpoint read_checkpoint(std::string_view name, finding_severity severity);
  void check_end(const checked_partition& one, std::string_view file,
                 const offset_checkpoint& entries, std::string_view meaning);
  void plan_rewrites(const std::map<topic_partition, checked_partition>& checked);
  std::string path(std::string_view name) const;
  void note(std::string_view name, std::string text);

  io::file_system& disk_;
  const std::string directory_;
  check_report& report_;
  bool clean_shutdown_ = false;
  bool set_aside_ = false;
  bool journal_open_ = false;
  std::optional<directory_identity> identity_;
  std::vector<topic_partition> partitions_;
  offset_checkpoint recovery_points_;
  offset_checkpoint log_starts_;
  offset_checkpoint high_watermarks_;
  offset_checkpoint cleaner_offsets_;
  std::map<topic_partition, offset_t> known_ends_;
  std::vector<std::string_view> unreadable_;  // checkpoints that can be made again
};

}  // namespace ringlog::storage
