#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/executor.h"
#include "base/task.h"

namespace ringlog::broker {

// The line of partitions whose appends found no room in memory or in the journal. The first one
// tries again every few milliseconds, and the others only behind it: thousands that try by
// themselves would take a processor for it. Now and then all of them are asked, so that appends
// whose deadline has come are answered.
class room_queue : public std::enable_shared_from_this<room_queue> {
 public:
  room_queue(executor& engine, const clock& time) : engine_(engine), time_(time) {}

  // Calls `go_on` on the engine's thread until it answers true: nothing waits there any more. Any
  // thread.
  void wait(callback<bool()> go_on);

 private:
  void serve_later();
  void serve();

  executor& engine_;
  const clock& time_;
  int rounds_ = 0;  // engine thread

  std::mutex mutex_;  // guards what follows
  bool is_serving_ = false;
  std::deque<callback<bool()>> line_;
};

}  // namespace ringlog::broker
