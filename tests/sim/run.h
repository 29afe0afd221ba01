#pragma once

#include <gtest/gtest.h>
#include <cstdlib>
#include <optional>
#include <string>

#include "io/sim/disk.h"
#include "io/sim/world.h"

namespace ringlog::sim {

// One sentence about a broken promise; none when all were kept.
using violation = std::optional<std::string>;

inline std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

// Runs `play(seed, events) -> violation` from RINGLOG_SEED on, RINGLOG_SIM_RUNS times, and stops at
// the first broken promise.
template <typename Play>
std::optional<std::string> find_violation(std::uint64_t runs, io::sim::event_counts& events,
                                          Play play) {
  const std::uint64_t first = number_from_environment("RINGLOG_SEED", 1);
  runs = number_from_environment("RINGLOG_SIM_RUNS", runs);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    violation found = play(seed, events);
    if (found) return "RINGLOG_SEED=" + std::to_string(seed) + ": " + *found;
  }
  return std::nullopt;
}

inline void add(io::sim::event_counts& total, const io::sim::event_counts& more) {
  for (const auto& [name, count] : more) total[name] += count;
}

inline void print(const io::sim::event_counts& events) {
  for (const auto& [name, count] : events) {
    std::printf("  %10llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  }
}

// Switches the simulated machine off at the `operations`-th crash point from now on.
inline void crash_after(io::sim::disk& drive, std::uint64_t operations,
                        io::sim::event_counts& events) {
  const std::uint64_t at = drive.crash_points() + operations;
  drive.observer = [&drive, &events, at](const io::sim::crash_point& point) {
    if (point.number < at || drive.is_off()) return;
    ++events[std::string("crash ") + (point.is_after ? "after " : "before ") +
             std::string(point.what)];
    drive.power_off();
  };
}

}  // namespace ringlog::sim
