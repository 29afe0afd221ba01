#pragma once

#include "run.h"

namespace ringlog::sim {

// The real core of a node, storage, metadata and broker, on a simulated disk: records, topics,
// configs, committed offsets and producer ids, through several crashes, kills and clean stops.
// The same seed gives the same run.
violation play_broker(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events);

}  // namespace ringlog::sim
