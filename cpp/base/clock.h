#pragma once

#include <chrono>
#include <cstdint>

namespace ringlog {

using nanoseconds = std::chrono::nanoseconds;
using milliseconds = std::chrono::milliseconds;

// A point of the monotonic clock; only differences mean anything.
struct monotonic_time {
  nanoseconds since_start{0};

  auto operator<=>(const monotonic_time&) const = default;
  friend monotonic_time operator+(monotonic_time time, nanoseconds distance) {
    return {time.since_start + distance};
  }
  friend nanoseconds operator-(monotonic_time left, monotonic_time right) {
    return left.since_start - right.since_start;
  }
};

// Where the time comes from. Every layer gets its clock by constructor; production reads the
// system's clocks (io/system_clock.h), simulation moves its own. Callable from any thread.
class clock {
 public:
  virtual ~clock() = default;

  // Milliseconds since 1970-01-01 UTC: record timestamps, retention, commit times.
  virtual std::int64_t wall_ms() const = 0;

  // Time-outs and intervals.
  virtual monotonic_time now() const = 0;
};

}  // namespace ringlog
