#include "node/check_directory.h"

#include <map>
#include <optional>

#include "io/make_engine.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "metadata/check/coordinator_records_check.h"
#include "metadata/check/metadata_check.h"
#include "node/recover_directory.h"
#include "node/stderr_log_sink.h"
#include "storage/check/journal_check.h"
#include "storage/check/log_directory_check.h"
#include "storage/file_names.h"
#include "storage/journal/journal_checkpoint.h"
#include "storage/journal/journal_damage.h"

namespace ringlog::node {

namespace {

using storage::check_partition;
using storage::checked_partition;
using storage::metadata_partition;

// What a journal is replayed with: nothing here runs.
struct idle_services {
  io::system_clock clock;
  io::system_random random;
  stderr_log_sink sink{log_level::error};
  std::unique_ptr<io::loop> engine;

  static result<std::unique_ptr<idle_services>> make() {
    auto made = std::make_unique<idle_services>();
    TRY_ASSIGN(made->engine, io::make_engine(io::engine_choice::epoll, made->clock, made->sink));
    return made;
  }
  storage::services on(io::file_system& disk) { return {disk, *engine, clock, random, sink}; }
};

class check_run {
 public:
  check_run(const storage::services& outside, const partition_visitor& visit,
            directory_check& outcome)
      : disk_(outside.disk),
        visit_(visit),
        outcome_(outcome),
        journal_(outside, outcome.layout.log_directory, outcome.layout.journal_directory,
                 outcome.report),
        directory_(outside.disk, outcome.layout.log_directory, outcome.report),
        metadata_(outside.disk, outcome.layout.log_directory, outcome.report) {}

  status run() {
    TRY(find_user());
    journal_.replay();
    outcome_.journal = journal_.found();
    TRY(directory_.read());
    if (outcome_.journal.is_open) directory_.expect_journal();
    check_metadata();
    for (const topic_partition& name : directory_.partitions()) {
      if (name != metadata_partition) check_one(name);
    }
    directory_.finish(checked_);
    metadata_.compare(directory_, checked_);
    metadata_.compare_journal(outcome_.journal);
    journal_.compare(checked_);
    if (outcome_.journal.is_open) plan_for_journal();
    for (auto& [name, one] : checked_) outcome_.partitions.push_back(std::move(one));
    return {};
  }

 private:
  // An open is refused then.
  status find_user() {
    const std::string& directory = outcome_.layout.log_directory;
    const auto known = storage::read_checkpoint(disk_, outcome_.layout.journal_directory);
    const std::string own = storage::join_path(directory, storage::file_names::meta_properties);
    TRY_ASSIGN(const bool is_named, disk_.exists(own));
    if (!is_named || !known.ok() || !*known || (*known)->clean) return {};
    outcome_.report.add(
        {.severity = storage::finding_severity::fault,
         .path = own,
         .text = "it is there although the journal was not closed: another program has used the "
                 "directory, and the next open is refused",
         .remedy = "remove it if nothing was written; else move the journal away"});
    return {};
  }

  // What the checks planned was for the files as the journal makes them.
  void plan_for_journal() {
    outcome_.report.drop_plans();
    const auto& damage = outcome_.journal.replayed.damage;
    if (damage == nullptr) {
      outcome_.no_repair =
          fmt::format("{} was not closed: run `ringlog recover` first, then check it again",
                      outcome_.layout.journal_directory);
      return;
    }
    std::string sentence = fmt::format(
        "replay {} without its blocks {} and close it: each log ends where it goes on "
        "without a gap",
        outcome_.layout.journal_directory, to_string(damage->blocks));
    for (const auto& [name, doubt] : damage->logs) {
      if (!doubt.lacks_batches()) continue;
      sentence += fmt::format("; {} at offset {}, without {} to {}", name.to_string(), doubt.end,
                              doubt.resumes, doubt.resumed_end - 1);
    }
    outcome_.report.plan(std::move(sentence), [&outcome = outcome_]() -> status {
      outcome.lock.reset();
      stderr_log_sink sink;
      TRY(recover_directory(outcome.layout.top, sink, true));
      return {};
    });
  }

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
  storage::journal_check journal_;
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
  const auto journal = storage::read_checkpoint(disk, outcome->layout.journal_directory);
  if (journal.ok() && *journal && !(*journal)->clean) {
    outcome->tried_on = std::make_unique<io::memory_file_system>();
    TRY(outcome->tried_on->take_in(disk, outcome->layout.log_directory));
    TRY(outcome->tried_on->take_in(disk, outcome->layout.journal_directory));
  }
  TRY_ASSIGN(const auto services, idle_services::make());
  io::file_system& checked = outcome->tried_on == nullptr ? disk : *outcome->tried_on;
  TRY(check_run(services->on(checked), visit, *outcome).run());
  return outcome;
}

}  // namespace ringlog::node
