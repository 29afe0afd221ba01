#pragma once

#include "run.h"

namespace ringlog::sim {

// Real storage on a simulated disk: random appends, deletions, cuts, checkpoints, full and failing
// disks, ended by a crash, a kill or a clean close; then the next boot must find what was promised.
// The same seed gives the same run.
violation play_storage(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events);

}  // namespace ringlog::sim
