#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/task.h"

namespace ringlog {

// Runs tasks one after another, never inside post() itself, in the order posted; a timed task runs
// at its time or soon after. Production: the engine thread's loop (io/loop.h). Simulation: one
// thread in seeded order. post, schedule and cancel may be called from any thread.
class executor {
 public:
  using timer_id = std::uint64_t;  // 0 is never given out

  virtual ~executor() = default;

  virtual void post(task work) = 0;

  // Runs the task on a thread that is there for what may block or takes long (reading files that
  // are not in memory, decompressing), beside others of its kind. Any thread.
  virtual void post_aside(task work) = 0;

  virtual timer_id schedule_at(monotonic_time time, task work) = 0;

  // True when the task will not run; false when it ran, runs now, or is unknown.
  virtual bool cancel(timer_id id) = 0;
};

}  // namespace ringlog
