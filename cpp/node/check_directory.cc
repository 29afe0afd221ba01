#include "node/check_directory.h"

#include <map>
#include <optional>

#include "metadata/check/coordinator_records_check.h"
#include "metadata/check/metadata_check.h"
#include "storage/check/log_directory_check.h"
#include "storage/file_names.h"

namespace ringlog::node {

namespace {

using storage::check_partition;
using storage::checked_partition;
using storage::metadata_partition;

// What was acknowledged and is not in the segments yet stands in the journal, until the next open
// puts it there: meta.properties is set aside as long as that is so.
result<bool> is_journal_open(io::file_system& disk, bool set_aside, directory_check& outcome) {
  const directory_layout& layout = outcome.layout;
  const std::string& path = layout.journal_directory;
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there || !set_aside) return false;
  TRY_ASSIGN(const auto entries, disk.list(path));
  if (entries.empty()) return false;
  outcome.report.add({.path = path,
                      .text = "the journal was not closed: what it holds is not in the segments "
                              "yet, and the next open writes it there"});
  outcome.no_repair = fmt::format(
      "{} may hold what seems to be missing: open and close the directory with ringlog "
      "first, then check it again",
      path);
  return true;
}

class check_run {
 public:
  check_run(io::file_system& disk, const partition_visitor& visit, directory_check& outcome)
      : disk_(disk),
        visit_(visit),
        outcome_(outcome),
        directory_(disk, outcome.layout.log_directory, outcome.report),
        metadata_(disk, outcome.layout.log_directory, outcome.report) {}

  status run() {
    TRY(directory_.read());
    TRY_ASSIGN(const bool open, is_journal_open(disk_, directory_.is_set_aside(), outcome_));
    if (open) directory_.expect_journal();
    check_metadata();
    for (const topic_partition& name : directory_.partitions()) {
      if (name != metadata_partition) check_one(name);
    }
    directory_.finish(checked_);
    metadata_.compare(directory_, checked_);
    for (auto& [name, one] : checked_) outcome_.partitions.push_back(std::move(one));
    return {};
  }

 private:
  // First: it says which topics are compacted.
  void check_metadata() {
    metadata_.load_snapshots();
    std::optional<checked_partition> log;
    for (const topic_partition& name : directory_.partitions()) {
      if (name != metadata_partition) continue;
      auto request = directory_.request_for(name, false);
      request.visit = with_guest(name, [this](const model::batch_view& batch, bytes_view) {
        return metadata_.take(batch);
      });
      log = check_partition(disk_, request, outcome_.report);
      checked_.emplace(name, *log);
    }
    metadata_.finish(log);
  }

  void check_one(const topic_partition& name) {
    auto request = directory_.request_for(name, metadata_.is_compacted(name.topic));
    request.visit = with_guest(name, metadata::coordinator_records_check(name.topic));
    checked_.emplace(name, check_partition(disk_, request, outcome_.report));
  }

  // Both visitors, the second only while the first finds nothing wrong.
  storage::batch_visitor with_guest(const topic_partition& name, storage::batch_visitor own) {
    storage::batch_visitor guest = visit_ ? visit_(name) : nullptr;
    if (!own || !guest) return own ? own : guest;
    return [own = std::move(own), guest = std::move(guest)](const model::batch_view& batch,
                                                            bytes_view plain) -> status {
      TRY(own(batch, plain));
      return guest(batch, plain);
    };
  }

  io::file_system& disk_;
  const partition_visitor& visit_;
  directory_check& outcome_;
  storage::log_directory_check directory_;
  metadata::metadata_check metadata_;
  std::map<topic_partition, checked_partition> checked_;
};

}  // namespace

result<std::unique_ptr<directory_check>> check_directory(io::file_system& disk,
                                                         const std::string& path,
                                                         const partition_visitor& visit) {
  auto outcome = std::make_unique<directory_check>();
  TRY_ASSIGN(outcome->layout, find_directory(disk, path));
  TRY_ASSIGN(outcome->lock, lock_if_used(disk, outcome->layout.log_directory));
  TRY(check_run(disk, visit, *outcome).run());
  return outcome;
}

}  // namespace ringlog::node
