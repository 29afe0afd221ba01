#pragma once

#include <string>

#include "base/log_sink.h"
#include "base/result.h"
#include "node/address.h"
#include "storage/log_manager.h"

namespace ringlog::node {

struct recovered_directory {
  directory_layout layout;
  bool was_closed = false;  // there was nothing to do, and nothing was changed
  storage::replayed_journal replayed;
};

// Makes the directory that file:`path` names a Kafka log directory again, by an open and a clean
// close without serving anybody: what the journal holds is in the segments, all is durable, and
// meta.properties has its name back, as the last step. Interrupted at any point it can be called
// again. Failures: not_found, locked (naming the owner's pid), foreign_directory when another
// program has used the directory since, corrupt, and those of the disk.
//
// A damaged journal is refused, or with `takes_damaged_journal` replayed as far as can be proven.
result<recovered_directory> recover_directory(const std::string& path, log_sink& sink,
                                              bool takes_damaged_journal = false);

// Leaves a copy of a log directory, made as a crash would have left it, as a clean close does.
status close_copy(const std::string& directory, log_sink& sink);

}  // namespace ringlog::node
