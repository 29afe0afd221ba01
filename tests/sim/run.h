#pragma once

#include <cstdlib>
#include <optional>
#include <string>

#include "io/sim/disk.h"
#include "io/sim/world.h"

namespace ringlog::sim {

// One sentence about a broken promise; none when all were kept.
using violation = std::optional<std::string>;

// What a run does otherwise than usual: the canaries of the tests.
struct run_plan {
  bool ack_at_once = false;  // a bug of the simulated client
  io::sim::fault_plan faults;
};

// What one run must contain; it goes on until it does.
struct run_contents {
  std::uint64_t operations = 500;  // of clients
  std::uint64_t crashes = 2;
  std::uint64_t restarts = 3;  // clean ones and those after a crash
  std::uint64_t segments_rolled = 1;
  std::uint64_t checkpoints = 1;  // of the journal, while it was in use
};
inline constexpr int boots_max = 60;  // more would mean that a run gets nowhere

// Plays the runs with `first` and the seeds after it, and stops at the first broken promise.
template <typename Play>
violation find_violation(std::uint64_t first, std::uint64_t runs, io::sim::event_counts& events,
                         Play play) {
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    if (violation found = play(seed, events)) {
      return "seed " + std::to_string(seed) + ": " + *found;
    }
  }
  return std::nullopt;
}

// How many writes and syncs the disk has failed so far.
inline std::uint64_t failures_of(const io::sim::disk& drive) {
  std::uint64_t count = 0;
  for (const char* name : {"fault: write failed", "fault: sync failed",
                           "fault: sync of a directory failed", "fault: sync of the disk failed"}) {
    const auto found = drive.events().find(name);
    if (found != drive.events().end()) count += found->second;
  }
  return count;
}

inline void add(io::sim::event_counts& total, const io::sim::event_counts& more) {
  for (const auto& [name, count] : more) total[name] += count;
}

}  // namespace ringlog::sim
