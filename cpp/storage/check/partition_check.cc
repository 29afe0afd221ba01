#include "storage/check/partition_check.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "codec/codec.h"
#include "model/record.h"
#include "storage/check/epoch_check.h"
#include "storage/check/index_check.h"
#include "storage/check/segment_scan.h"
#include "storage/check/snapshot_check.h"
#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/segment_cache.h"

namespace ringlog::storage {

namespace {

constexpr offset_t last_possible{std::numeric_limits<std::int64_t>::max()};
constexpr std::int64_t index_interval_bytes =
    4096;  // Kafka's default; any value makes good indexes

struct segment_file {
  offset_t base{0};
  std::int64_t bytes = 0;
};

class partition_check {
 public:
  partition_check(io::file_system& disk, const partition_request& asked, check_report& report)
      : disk_(disk), asked_(asked), report_(report), compacted_(asked.compacted) {
    found_.name = asked.name;
    found_.directory = asked.directory;
  }

  checked_partition run() {
    const status read = check();
    if (!read.ok()) {
      report_.add({.severity = finding_severity::damage,
                   .path = asked_.directory,
                   .text = "it cannot be read: " + read.failure().message});
    }
    return found_;
  }

 private:
  status check();
  status list_files();
  void list_file(const io::directory_entry& entry);
  void check_identity();
  void check_chain(std::size_t at);
  status check_segment(std::size_t at);
  void take(const model::batch_view& batch, std::int64_t position, index_check& indexes);
  status check_records(const model::batch_view& batch) const;
  void report_hole(const damaged_range& hole, std::size_t at);
  void report_indexes(const index_check& indexes, std::size_t at);
  void plan_indexes(std::size_t at);

  bool is_last(std::size_t at) const { return at + 1 == segments_.size(); }
  // The next open takes the segment's files as they are.
  bool is_believed(std::size_t at) const {
    return asked_.clean_shutdown ||
           (!is_last(at) && segments_[at + 1].base <= asked_.recovery_point);
  }
  std::string path(offset_t base, std::string_view suffix) const {
    return join_path(asked_.directory, segment_file_name(base, suffix));
  }

  io::file_system& disk_;
  const partition_request& asked_;
  check_report& report_;
  bool compacted_;

  checked_partition found_;
  std::vector<segment_file> segments_;
  std::vector<offset_t> snapshots_;
  std::optional<epoch_check> epochs_;
  std::optional<snapshot_check> producers_;
  std::vector<aborted_range> aborted_;  // in the segment at hand
  bool lost_tail_ = false;              // of the segment before
};

status partition_check::check() {
  TRY(list_files());
  check_identity();
  const offset_t begin = segments_.empty() ? offset_t(0) : segments_.front().base;
  found_.log_start = std::max(begin, asked_.log_start);
  found_.log_end = begin;
  epochs_.emplace(disk_, report_, asked_.directory, found_.log_start);
  epochs_->load();
  producers_.emplace(disk_, report_,
                     snapshot_check::request{asked_.directory, snapshots_, begin, compacted_,
                                             asked_.clean_shutdown});
  TRY(producers_->load());
  for (std::size_t at = 0; at < segments_.size(); ++at) {
    check_chain(at);
    TRY(check_segment(at));
  }
  producers_->finish(found_.log_end);
  epochs_->finish(found_.log_end, asked_.clean_shutdown);
  if (found_.log_end < asked_.log_start) {
    report_.add({.severity = finding_severity::damage,
                 .path = asked_.directory,
                 .offset = asked_.log_start,
                 .text = fmt::format("the log ends at offset {}, before its start {}: segment "
                                     "files are missing",
                                     found_.log_end, asked_.log_start),
                 .remedy = "bring the segment files back from a copy"});
  }
  return {};
}

status partition_check::list_files() {
  TRY_ASSIGN(auto entries, disk_.list(asked_.directory));
  std::ranges::sort(entries, {}, &io::directory_entry::name);
  for (const io::directory_entry& entry : entries) list_file(entry);
  return {};
}

void partition_check::list_file(const io::directory_entry& entry) {
  const std::string_view name = entry.name;
  const auto note = [&](std::string text) {
    report_.add({.path = join_path(asked_.directory, name), .text = std::move(text)});
  };
  if (entry.is_directory) return note("a directory that does not belong there");
  const auto offset = offset_of_file(name);
  if (name.ends_with(suffixes::swap)) {
    compacted_ = true;
    return note("a compaction had ended but for its last step; the next open finishes it");
  }
  if (name.ends_with(suffixes::cleaned)) {
    return note("left by a compaction that did not end; the next open removes it");
  }
  if (name.ends_with(".tmp")) return note("left by a write that did not end; it may be removed");
  if (name.ends_with(suffixes::deleted)) {
    return note("was being deleted; the next open removes it");
  }
  if (offset && name.ends_with(suffixes::log)) {
    segments_.push_back({*offset, static_cast<std::int64_t>(entry.size)});
  } else if (offset && name.ends_with(suffixes::producer_snapshot)) {
    snapshots_.push_back(*offset);
  } else if (offset &&
             (name.ends_with(suffixes::offset_index) || name.ends_with(suffixes::time_index) ||
              name.ends_with(suffixes::transaction_index))) {
    return;  // seen with their segments
  } else if (name == file_names::leader_epochs || name == file_names::partition_metadata ||
             name == "quorum-state" || name.ends_with(suffixes::kraft_snapshot)) {
    return;
  } else {
    note("no file of a Kafka partition");
  }
}

void partition_check::check_identity() {
  const std::string file = join_path(asked_.directory, file_names::partition_metadata);
  const auto id = read_partition_metadata(disk_, file);
  if (id.ok()) found_.topic_id = *id;
  if (found_.topic_id) return;
  const bool may_come = asked_.journal_open && id.ok();
  report_.add({.severity = may_come ? finding_severity::note : finding_severity::fault,
               .path = file,
               .text = id.ok() ? std::string("it is missing: Kafka would set the directory aside")
                               : sentence_of(id.failure(), file),
               .remedy = "opening the directory with ringlog writes it again"});
}

// Offsets of a log have no gap unless it is compacted.
void partition_check::check_chain(std::size_t at) {
  const offset_t base = segments_[at].base;
  if (at > 0 && base > found_.log_end && !compacted_ && !lost_tail_) {
    producers_->lose_track();
    report_.add({.severity = finding_severity::damage,
                 .path = path(base, suffixes::log),
                 .position = 0,
                 .offset = found_.log_end,
                 .text = fmt::format("offsets {} to {} are missing before this segment",
                                     found_.log_end, base - 1),
                 .remedy = "bring the segment that held them back from a copy"});
  }
  found_.log_end = std::max(found_.log_end, base);
  lost_tail_ = false;
}

status partition_check::check_segment(std::size_t at) {
  const segment_file& file = segments_[at];
  ++found_.segments;
  found_.bytes += file.bytes;
  aborted_.clear();
  index_check indexes(disk_, asked_.directory, file.base);
  TRY(indexes.load(file.bytes));
  TRY_ASSIGN(const auto log, disk_.open(path(file.base, suffixes::log), io::open_mode::read));
  const offset_t limit = is_last(at) ? last_possible : segments_[at + 1].base;
  bool damaged = false;
  segment_scan scan(*log, {file.bytes, file.base, limit});
  TRY(scan.run([&](const model::batch_view& batch,
                   std::int64_t position) { take(batch, position, indexes); },
               [&](const damaged_range& hole) {
                 damaged = true;
                 report_hole(hole, at);
               }));
  const bool producers_known = producers_->is_complete() && !compacted_;
  indexes.finish(producers_known ? &aborted_ : nullptr, is_believed(at) && !damaged);
  // Of what is damaged indexes cannot be told: entries may well name batches that were there.
  if (!damaged) report_indexes(indexes, at);
  return {};
}

void partition_check::take(const model::batch_view& batch, std::int64_t position,
                           index_check& indexes) {
  const auto at = static_cast<std::size_t>(found_.segments - 1);
  const auto damage = [&](std::string text, std::string remedy) {
    report_.add({.severity = finding_severity::damage,
                 .path = path(segments_[at].base, suffixes::log),
                 .position = position,
                 .offset = batch.base_offset(),
                 .text = std::move(text),
                 .remedy = std::move(remedy)});
  };
  if (batch.base_offset() > found_.log_end && !compacted_) {
    producers_->lose_track();
    if (!lost_tail_) {
      damage(fmt::format("offsets {} to {} are missing before this batch", found_.log_end,
                         batch.base_offset() - 1),
             "bring the segment back from a copy");
    }
  }
  lost_tail_ = false;
  found_.log_end = batch.next_offset();
  ++found_.batches;
  found_.records += batch.count();
  indexes.take(batch, position);
  if (const auto fallen = epochs_->take(batch, is_believed(at))) {
    damage(fmt::format("its leader epoch is {}, a batch before has {}",
                       batch.partition_leader_epoch(), *fallen),
           "bring the segment back from a copy");
  }
  status good = check_records(batch);
  if (good.ok()) good = producers_->take(batch, aborted_);
  if (!good.ok()) {
    damage("records of a batch with the right checksum cannot be read: " + good.failure().message,
           "whoever wrote the batch wrote it so; DeleteRecords drops what lies below an offset");
  }
}

status partition_check::check_records(const model::batch_view& batch) const {
  byte_buffer unpacked;
  bytes_view plain = batch.records();
  if (batch.compression() != compression_type::none && batch.count() > 0) {
    TRY_ASSIGN(unpacked, codec::decompress(batch.compression(), plain));
    plain = unpacked;
  }
  TRY(model::validate_records(batch, plain));
  return asked_.visit ? asked_.visit(batch, plain) : status();
}

void partition_check::report_hole(const damaged_range& hole, std::size_t at) {
  producers_->lose_track();
  lost_tail_ = true;
  finding found{.severity = finding_severity::damage,
                .path = path(segments_[at].base, suffixes::log),
                .position = hole.begin,
                .offset = hole.next_expected};
  const std::int64_t bytes = hole.end - hole.begin;
  if (hole.resumes) {
    found.text = fmt::format("{} damaged bytes: {}; the log goes on at byte {} with offset {}",
                             bytes, hole.reason, hole.end, *hole.resumes);
    found.remedy =
        fmt::format("bring the segment back from a copy; offsets {} to {} cannot be read",
                    hole.next_expected, *hole.resumes - 1);
  } else {
    found.text = fmt::format("{} {} bytes at the end, from offset {} on: {}", bytes,
                             hole.torn ? "torn" : "damaged", hole.next_expected, hole.reason);
    found.remedy = "bring the segment back from a copy";
  }
  const bool is_end = !hole.resumes && is_last(at) && !asked_.clean_shutdown &&
                      hole.next_expected >= asked_.recovery_point;
  if (is_end && asked_.journal_open) {
    found.severity = finding_severity::note;
    found.remedy = "the next open writes there what the journal holds, and cuts the rest";
  } else if (is_end && hole.next_expected >= asked_.acknowledged) {
    found.severity = finding_severity::fault;
    found.remedy = fmt::format(
        "it would be cut to {} bytes, as the next open does: nothing from "
        "offset {} on was known to be on disk",
        hole.begin, hole.next_expected);
    report_.plan(fmt::format("cut {} from {} to {} bytes", found.path, hole.end, hole.begin),
                 [&disk = disk_, file = found.path, size = hole.begin]() -> status {
                   TRY_ASSIGN(const auto log, disk.open(file, io::open_mode::read_write));
                   TRY(log->resize(static_cast<std::uint64_t>(size)));
                   return log->sync();
                 });
  } else if (!asked_.clean_shutdown && !is_believed(at)) {
    found.remedy += "; do so before the next open, which cuts the log here";
  }
  report_.add(std::move(found));
}

void partition_check::report_indexes(const index_check& indexes, std::size_t at) {
  const bool believed = is_believed(at);
  for (const index_fault& wrong : indexes.faults()) {
    report_.add({.severity = believed ? finding_severity::fault : finding_severity::note,
                 .path = wrong.path,
                 .position = wrong.position,
                 .offset = wrong.offset,
                 .text = wrong.text,
                 .remedy = believed ? "the indexes of the segment would be built again"
                                    : "the next open builds it again"});
  }
  if (!believed) return;
  if (indexes.lacks_files()) {
    report_.add({.severity = finding_severity::fault,
                 .path = path(segments_[at].base, suffixes::offset_index),
                 .offset = segments_[at].base,
                 .text = "the offset or the time index of the segment is missing",
                 .remedy = "the indexes of the segment would be built again"});
  }
  if (indexes.lacks_files() || !indexes.faults().empty()) plan_indexes(at);
}

void partition_check::plan_indexes(std::size_t at) {
  const segment_file& file = segments_[at];
  report_.plan(
      fmt::format("build the indexes of {} again from the batches", path(file.base, suffixes::log)),
      [&disk = disk_, directory = asked_.directory, file, aborted = aborted_]() -> status {
        segment of(directory, file.base, 0);
        of.bytes = file.bytes;
        transaction_index known;
        for (const aborted_range& range : aborted) known.append(range);
        // Read back with the rest by rebuild_indexes.
        TRY(io::replace_file(disk, of.path(suffixes::transaction_index), known.encode()));
        TRY_ASSIGN(const auto log, disk.open(of.path(suffixes::log), io::open_mode::read));
        TRY_ASSIGN(const auto built, rebuild_indexes(disk, *log, of, index_interval_bytes));
        sync_group written(disk);
        TRY(write_indexes(disk, of, *built, written));
        return written.sync();
      });
}

}  // namespace

checked_partition check_partition(io::file_system& disk, const partition_request& asked,
                                  check_report& report) {
  return partition_check(disk, asked, report).run();
}

}  // namespace ringlog::storage
