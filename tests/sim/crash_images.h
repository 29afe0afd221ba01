#pragma once

#include <string>

#include "disk_recording.h"
#include "run.h"

namespace ringlog::sim {

// A real run, put down: a node's core on a real disk, killed, opened again, closed, opened and
// killed once more, all the time with batches on their way. The middle life has the fallback
// engine.
struct recorded_run {
  std::string directory;
  disk_recording recording;
};
std::unique_ptr<recorded_run> record_run(const std::string& directory, std::uint64_t seed);

// The same as if nothing had been synced: a recording in which every image is in danger.
std::unique_ptr<recorded_run> without_syncs(const recorded_run& run);

// The power fails at a moment of the run that the seed chooses, and takes what it chooses of all
// that was not synced. What is left is opened: all that was acknowledged by then is there, once, in
// order, and nothing that was not sent.
violation check_image(const recorded_run& run, std::uint64_t seed, io::sim::event_counts& events);

}  // namespace ringlog::sim
