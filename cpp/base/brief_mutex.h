#pragma once

#include <mutex>

#include "base/pause_processor.h"

namespace ringlog {

// A mutex that is held for less time than it takes to sleep and be woken: who finds it taken looks
// again for about a microsecond before it sleeps. For locks that two threads need right after one
// has told the other something.
class brief_mutex {
 public:
  void lock() {
    constexpr int looks_max = 50;
    for (int i = 0; i < looks_max; ++i) {
      if (mutex_.try_lock()) return;
      pause_processor();
    }
    mutex_.lock();
  }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

}  // namespace ringlog
