#pragma once

#include <span>
#include <vector>

#include "crash_points.h"

namespace ringlog::sim {

// One of the two harnesses.
struct harness {
  const char* name;
  violation (*play)(std::uint64_t seed, const run_plan& plan, io::sim::event_counts& events);
  std::span<const crash_place> places;            // each to be crashed at, before and after
  std::span<const std::string_view> occurrences;  // and what happens in this one only
};
std::span<const harness> harnesses();

extern const std::span<const crash_place> storage_places;
extern const std::span<const crash_place> broker_places;

// What never happened, of all that must.
std::vector<std::string> missing(const harness& of, const io::sim::event_counts& events);

}  // namespace ringlog::sim
