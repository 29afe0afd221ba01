#pragma once

#include "base/clock.h"

namespace ringlog::io {

// The system's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC).
class system_clock final : public clock {
 public:
  std::int64_t wall_ms() const override {
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  monotonic_time now() const override {
    return {std::chrono::duration_cast<nanoseconds>(
        std::chrono::steady_clock::now().time_since_epoch())};
  }
};

}  // namespace ringlog::io
