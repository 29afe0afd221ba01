#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/epoch_cache.h"
#include "storage/journal/journal_format.h"
#include "storage/log_config.h"
#include "storage/producer_recovery.h"
#include "storage/segment.h"
#include "storage/segment_cache.h"
#include "storage/services.h"

namespace ringlog::storage {

struct load_request {
  topic_partition name;
  std::string directory;
  log_config config;
  bool clean_shutdown = false;
  bool read_only = false;  // nothing on disk is changed: what recovery cuts is cut in memory
  offset_t log_start{0};   // from the checkpoints, 0 without an entry
  offset_t recovery_point{0};
  // The journal vouches for the log up to here and has been replayed: nothing below is ever cut,
  // and what stands behind it is. Batches are looked at from the segment `checked_from` on.
  std::optional<journaled_log> journaled;
  offset_t checked_from{0};
  // The log was written outside of the journal: from this segment on there was no gap, so that a
  // segment that ends early ends the log, although a later one reached the disk.
  std::optional<offset_t> unbroken_from;
};

// A partition's content as it lies on disk.
struct loaded_log {
  explicit loaded_log(io::file_system& disk) : written(disk) {}

  std::vector<std::shared_ptr<segment>> segments;  // at least one; the last has its indexes
  producer_state producers;
  epoch_cache epochs;
  offset_t log_start{0};
  offset_t log_end{0};
  std::vector<offset_t> snapshots;  // of the producer snapshot files, rising
  bool directory_there = true;
  bool recovered = false;  // batches were checked, files may have been cut
  std::uint32_t journal_number = 0;
  bool was_outside = false;  // of the journal, when it was last written to
  sync_group written;        // what recovery wrote, to be synced before the log is relied upon
};

// Loads one partition directory by Kafka's rules (LogLoader, LogSegment.recover,
// UnifiedLog.rebuildProducerState), on its caller's thread, blocking:
//
// - `.deleted` and `.cleaned` files go, `.swap` files take their place.
// - After a clean shutdown the files are believed. Else every batch from the segment of the
//   recovery point on is checked, indexes and producers are built again, and the log is cut at
//   the first bad batch; but see load_request::journaled. Indexes that are missing or have an
//   impossible size are built again in any case.
// - Producers come from the latest good snapshot and the batches after it; idle ones are dropped.
class log_loader {
 public:
  log_loader(services outside, segment_cache& cache, load_request request)
      : outside_(outside), cache_(cache), request_(std::move(request)), loaded_(outside.disk) {}

  result<loaded_log> load();

 private:
  struct index_file_sizes {
    std::optional<std::uint64_t> offsets, times, transactions;
  };

  status open_segments();
  std::size_t first_unflushed() const;
  status check_indexes(std::size_t number, const index_file_sizes& sizes);
  status load_max_timestamp(segment& of, std::uint64_t index_bytes);
  status load_clean_tail();
  status recover_tail();
  status fit_to_journal();
  result<bool> recover_segment(segment& of);  // true when it was cut
  bool ends_early(std::size_t number) const;
  bool keep_all(segment& of, std::int64_t file_bytes, std::string_view damage);
  status accept_recovered(segment& of, const model::batch_view& batch);
  status drop_segments_from(std::size_t first);

  status write_snapshot(offset_t at);
  status remove_stray_snapshots();

  std::string path(std::string_view name) const;
  void warn(std::string_view message) const;

  services outside_;
  segment_cache& cache_;
  load_request request_;
  loaded_log loaded_;
  std::size_t recover_from_ = 0;     // the first segment whose batches are checked
  std::vector<offset_t> snapshots_;  // of the snapshot files, rising
  std::optional<producer_recovery> producers_;
};

}  // namespace ringlog::storage
