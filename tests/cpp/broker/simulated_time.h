#pragma once

#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"

namespace ringlog {

// A clock and the executor that goes with it, on the test's own thread: time moves only in
// advance_to, which runs what is due in order.
class simulated_time final : public clock, public executor {
 public:
  explicit simulated_time(std::int64_t wall_ms = 1'800'000'000'000) : wall_start_ms_(wall_ms) {}

  std::int64_t wall_ms() const override {
    return wall_start_ms_ + std::chrono::duration_cast<milliseconds>(now_.since_start).count();
  }
  monotonic_time now() const override { return now_; }

  void post(task work) override { schedule_at(now_, std::move(work)); }
  void post_aside(task work) override { post(std::move(work)); }

  timer_id schedule_at(monotonic_time time, task work) override {
    tasks_.emplace(std::pair(std::max(time, now_), ++last_), std::move(work));
    return last_;
  }

  bool cancel(timer_id id) override {
    for (auto entry = tasks_.begin(); entry != tasks_.end(); ++entry) {
      if (entry->first.second != id) continue;
      tasks_.erase(entry);
      return true;
    }
    return false;
  }

  // Runs what is due now, and what that makes due now.
  void settle() { advance_to(now_); }

  void advance_ms(std::int64_t distance_ms) { advance_to(now_ + milliseconds(distance_ms)); }

  void advance_to(monotonic_time target) {
    while (!tasks_.empty() && tasks_.begin()->first.first <= target) {
      auto first = tasks_.extract(tasks_.begin());
      now_ = std::max(now_, first.key().first);
      first.mapped()();
    }
    now_ = target;
  }

 private:
  const std::int64_t wall_start_ms_;
  monotonic_time now_;
  timer_id last_ = 0;
  std::map<std::pair<monotonic_time, timer_id>, task> tasks_;
};

}  // namespace ringlog
