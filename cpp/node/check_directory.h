#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "io/memory_file_system.h"
#include "node/address.h"
#include "storage/check/check_report.h"
#include "storage/check/journal_check.h"
#include "storage/check/partition_check.h"

namespace ringlog::node {

// What a check of a whole directory comes to. While it lives, the directory's lock is held.
struct directory_check {
  directory_layout layout;
  std::unique_ptr<io::file_lock> lock;  // none where there is no lock file: nobody has it open
  // Where a journal that was not closed is replayed, so that the check sees what it holds.
  std::unique_ptr<io::memory_file_system> tried_on;
  storage::checked_journal journal;
  storage::check_report report;
  std::vector<storage::checked_partition> partitions;  // by name
  // Why nothing may be repaired here; empty when it may.
  std::string no_repair;
};

// What else is to see the batches of a partition; may give an empty visitor.
using partition_visitor = std::function<storage::batch_visitor(const topic_partition&)>;

// Checks everything in the directory that an address file:`path` names, its journal and what that
// adds to the logs too, offline, and changes nothing. Failures mean that nothing could be checked:
// not_found, foreign_directory, locked (the message names the owner's pid).
result<std::unique_ptr<directory_check>> check_directory(io::file_system& disk,
                                                         const std::string& path,
                                                         const partition_visitor& visit = {});

}  // namespace ringlog::node
