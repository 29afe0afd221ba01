#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/random.h"
#include "io/engine.h"

// Simulation: the same interfaces as production over a simulated clock, one thread and a seed.
namespace ringlog::io::sim {

class world;

// A clock that moves only when the world says so.
class simulated_clock final : public clock {
 public:
  std::int64_t wall_ms() const override {
    return start_wall_ms + std::chrono::duration_cast<milliseconds>(now_.since_start).count();
  }
  monotonic_time now() const override { return now_; }

  static constexpr std::int64_t start_wall_ms = 1'750'000'000'000;  // 2025-06-15 15:06:40 UTC

 private:
  friend class world;
  monotonic_time now_{};
};

// One simulated thread: an executor whose operations on files take a random time, so that they end
// in any order. Made by a world, which runs it.
class actor final : public engine {
 public:
  void post(task work) override;
  void post_aside(task work) override { end_later(std::move(work)); }
  timer_id schedule_at(monotonic_time time, task work) override;
  bool cancel(timer_id id) override;

  void write(file& target, std::uint64_t position, std::vector<bytes_view> parts, bool durable,
             completion done) override;
  void sync(file& target, completion done) override;
  void read(file& source, std::uint64_t position, mutable_bytes target,
            read_completion done) override;
  void run_blocking(callback<status()> work, completion done) override;
  std::string_view name() const override { return "simulation"; }

 private:
  friend class world;
  explicit actor(world& home) : world_(home) {}

  void end_later(task work);

  world& world_;
  std::deque<task> posted_;
  std::map<std::pair<monotonic_time, timer_id>, task> timers_;
  std::map<timer_id, monotonic_time> timer_times_;
};

// The scheduler: runs one task at a time, choosing by the seed among the actors that have one to
// run and, within an actor, between its posted tasks (in order) and its due timers (by time).
// Time stands still while tasks are ready, except for the time that blocking calls take; when
// nothing is ready it jumps to the next timer. The same seed gives the same run, to the byte.
// One thread only. Outlives everything made on it.
class world final {
 public:
  explicit world(std::uint64_t seed) : seed_(seed), random_(seed) {}

  std::uint64_t seed() const { return seed_; }
  const clock& time() const { return clock_; }
  random_source& random() { return random_; }

  // The actor lives as long as the world.
  actor& make_actor();

  // Runs one task; false when there is none and no timer is set.
  bool run_one();

  // Runs until nothing is left to do, timers far ahead included. A CHECK ends an endless run.
  void run_until_idle(std::int64_t tasks_max = 10'000'000);

  // Runs what happens in the next `duration`, and moves the clock to its end.
  void run_for(nanoseconds duration);

  // Runs until `condition` holds; false when nothing is left to do or `wait_max` has passed.
  template <typename Condition>
  bool run_until(Condition condition, nanoseconds wait_max = std::chrono::hours(1)) {
    const monotonic_time end = clock_.now() + wait_max;
    while (!condition()) {
      if (clock_.now() > end || !run_one()) return false;
    }
    return true;
  }

  // The process dies: every task, timer and operation under way vanishes unrun.
  void drop_all();

  // A blocking call takes this long.
  void pass(nanoseconds duration) { clock_.now_ = clock_.now_ + duration; }

  // Microseconds as a rule, sometimes tens of milliseconds.
  nanoseconds random_latency();

 private:
  friend class actor;

  actor* pick_ready();
  bool jump_to_next_timer();
  void run_task_of(actor& chosen);

  std::uint64_t seed_;
  seeded_random random_;
  simulated_clock clock_;
  std::vector<std::unique_ptr<actor>> actors_;
  executor::timer_id next_timer_ = 1;
};

}  // namespace ringlog::io::sim
