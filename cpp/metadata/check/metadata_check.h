#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "io/file.h"
#include "metadata/image.h"
#include "metadata/image_builder.h"
#include "metadata/snapshot.h"
#include "storage/check/check_report.h"
#include "storage/check/journal_check.h"
#include "storage/check/log_directory_check.h"
#include "storage/check/partition_check.h"

namespace ringlog::metadata {

// Checks what a log directory says of its cluster: snapshots, the metadata log, quorum-state; and
// holds the partition directories against the image that they make. On its caller's stack:
//
//   load_snapshots(), then the batches of the metadata log in order to take(), then finish();
//   after that image(), is_compacted() and compare().
class metadata_check {
 public:
  metadata_check(io::file_system& disk, std::string log_directory, storage::check_report& report);

  // Decodes every snapshot file; the newest one is where the image starts.
  void load_snapshots();

  // The next batch of the metadata log. corrupt: a record that cannot be read or contradicts the
  // ones before.
  status take(const model::batch_view& batch);

  // `log` is the metadata log as it was checked; none without a directory for it.
  void finish(const std::optional<storage::checked_partition>& log);

  // Null when no metadata is there or it cannot be read to its end.
  image_ptr image() const { return image_; }

  // Whether offsets of the topic's logs may be missing; true where nobody knows.
  bool is_compacted(const std::string& topic) const;

  // Holds the logs that the journal knows against the topics that are or were there.
  void compare_journal(const storage::checked_journal& journal);

  // Holds the partitions that were found, and those that checkpoints name, against the image.
  void compare(const storage::log_directory_check& directory,
               const std::map<topic_partition, storage::checked_partition>& checked);

 private:
  void check_snapshot(const std::string& path, std::optional<snapshot_id> id);
  void check_quorum_state(const storage::checked_partition& log);
  void compare_found(const storage::log_directory_check& directory,
                     const storage::checked_partition& one);
  void compare_missing(const storage::log_directory_check& directory, const topic_partition& name,
                       offset_t known_end);
  std::string policy_of(const std::string& topic) const;

  io::file_system& disk_;
  const std::string log_directory_;
  storage::check_report& report_;
  std::optional<image_builder> builder_;
  offset_t next_{0};
  leader_epoch_t epoch_{0};
  bool has_snapshot_ = false;
  bool broken_ = false;  // the image cannot be made from what is there
  image_ptr image_;
  std::set<uuid> removed_topics_;
};

}  // namespace ringlog::metadata
