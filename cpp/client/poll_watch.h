#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace ringlog::client {

// Sees whether a consumer's thread still polls. touch() from that thread, cheap; the rest from one
// thread at a time.
class poll_watch {
 public:
  void touch() { polls_.fetch_add(1, std::memory_order_relaxed); }

  void start(monotonic_time now) {
    seen_ = polls_.load(std::memory_order_relaxed);
    active_at_ = now;
  }

  // Since the last look at which there was a poll, or since the start.
  bool idle_for(milliseconds allowed, monotonic_time now) {
    if (polls_.load(std::memory_order_relaxed) != seen_) start(now);
    return now - active_at_ > allowed;
  }

 private:
  std::atomic<std::uint64_t> polls_{0};
  std::uint64_t seen_ = 0;
  monotonic_time active_at_;
};

}  // namespace ringlog::client
