#pragma once

#include <map>
#include <string>

#include "storage/check/check_report.h"
#include "storage/check/partition_check.h"
#include "storage/journal/journal_format.h"
#include "storage/log_manager.h"
#include "storage/services.h"

namespace ringlog::storage {

// What a journal holds that the segments do not.
struct checked_journal {
  bool is_there = false;
  bool is_open = false;  // it was not closed, and what it holds was replayed
  replayed_journal replayed;
  std::map<topic_partition, journaled_log> logs;  // that it knows, as the replay left them
};

// Checks a directory's journal: its checkpoint, each of its blocks and entries. Where it was not
// closed it is replayed on `outside.disk`, as the next open does, so that the segments can be
// checked with all that was acknowledged: give it a disk that only tries on. On its caller's stack,
// on one thread; the engine need not run.
class journal_check {
 public:
  journal_check(services outside, std::string log_directory, std::string journal_directory,
                check_report& report)
      : outside_(outside),
        log_directory_(std::move(log_directory)),
        journal_directory_(std::move(journal_directory)),
        report_(report) {}

  // Before anything in the log directory is looked at.
  void replay();

  const checked_journal& found() const { return found_; }

  // Holds what the journal knows against the logs as they were checked after replay().
  void compare(const std::map<topic_partition, checked_partition>& checked);

 private:
  void report_unreadable(const error& why);
  void report_replay();
  void report_damage(const journal_damage& damage);
  void add_damage(std::string path, std::string text, std::string remedy);

  services outside_;
  const std::string log_directory_;
  const std::string journal_directory_;
  check_report& report_;
  checked_journal found_;
};

}  // namespace ringlog::storage
