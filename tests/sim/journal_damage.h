#pragma once

#include <string>

#include "io/sim/disk.h"
#include "storage/journal/journal_format.h"

namespace ringlog::sim {

// Flips one bit in a block of the journal that recovery needs and that a later block calls
// complete. False when there is no such block.
result<bool> damage_a_complete_block(io::sim::disk& drive, const std::string& journal_directory,
                                     const storage::journal_identity& identity,
                                     random_source& random);

}  // namespace ringlog::sim
