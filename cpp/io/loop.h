#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/hash_map.h"
#include "base/limits.h"
#include "io/engine.h"
#include "io/operation.h"
#include "io/socket_driver.h"
#include "io/work_threads.h"

namespace ringlog::io {

// What both production engines share: posted tasks, timers, and the loop that runs them and the
// completions. Completions are reaped into a list, then run from the loop, never from inside a
// submit or another completion.
//
// The thread that calls run() first is the engine's thread for its whole life. post, post_aside,
// schedule_at, cancel and stop may be called from any thread; write, sync, read and run_blocking
// from the engine's only. Files without a descriptor (a log in memory) are served by their own
// calls, at once. The threads of post_aside and run_blocking end with run().
//
// One caller that waits for each durable write before the next one gets two things. A small durable
// write that is still alone when the loop would wait is done in place, by a blocking call: handing
// it over and being woken costs up to the write itself, far more when the cores are busy. On a slow
// disk that is tried one `in_place_share`th of the time. And a loop that was soon woken last time
// looks a moment for the next task before it sleeps.
class loop : public engine {
 public:
  static constexpr std::size_t in_place_bytes_max = 256 * limits::KiB;
  static constexpr nanoseconds in_place_time_max{500'000};  // of a disk that is not slow
  static constexpr std::int64_t in_place_share = 16;
  static constexpr nanoseconds linger_max{50'000};

  explicit loop(const clock& time) : clock_(time) {}
  ~loop() override;

  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  // Runs until stop(); then until no operation is under way, no socket is open and no posted task
  // waits.
  void run();

  void stop();

  // After the last run(): drops what was posted and the timers unrun, and from here on whatever
  // comes. A task may hold what holds this engine, so the destructor would be too late.
  void discard();

  // What io/socket_network.h stands on. The engine's thread only.
  virtual socket_driver& sockets() = 0;

  bool on_own_thread() const { return owner_.load() == std::this_thread::get_id(); }

  void post(task work) final;
  void post_aside(task work) final;
  timer_id schedule_at(monotonic_time time, task work) final;
  bool cancel(timer_id id) final;

  void write(file& target, std::uint64_t position, std::vector<bytes_view> parts, bool durable,
             completion done) final;
  void sync(file& target, completion done) final;
  void read(file& source, std::uint64_t position, mutable_bytes target, read_completion done) final;
  void run_blocking(callback<status()> work, completion done) final;

 protected:
  // Called once, at the start of run(), on the engine's thread.
  virtual void start() {}

  // Takes an operation that has a descriptor and bytes to move (or is a sync).
  virtual void begin(std::unique_ptr<operation> work) = 0;

  // Issues what begin() took and waits for a completion or wake(), at most `wait_max` (no bound
  // when empty, not at all when zero). Hands what is over to finished().
  virtual void wait(std::optional<nanoseconds> wait_max) = 0;

  // Ends a wait() soon. Any thread.
  virtual void wake() = 0;

  void finished(std::unique_ptr<operation> work);

 private:
  void submit(std::unique_ptr<operation> work);
  void start(std::unique_ptr<operation> work);
  bool may_run_in_place(const operation& work) const;
  void run_lone();
  bool linger();
  void run_finished();
  void run_posted();
  void run_due_timers();
  bool may_end();
  std::optional<nanoseconds> prepare_to_wait();
  void wake_if_asleep(std::unique_lock<std::mutex> held);

  const clock& clock_;
  std::atomic<std::thread::id> owner_;

  // The engine's thread only.
  std::vector<std::unique_ptr<operation>> finished_;
  std::size_t under_way_ = 0;
  std::unique_ptr<operation> lone_;  // the only one under way, not begun: another may come yet
  monotonic_time in_place_again_{};  // not before: the last write in place took long
  monotonic_time idle_since_{};
  bool soon_woken_ = false;

  work_threads helper_{1};  // of run_blocking
  work_threads aside_{limits::aside_threads_max};
  std::atomic<bool> is_posted_ = false;  // a hint for linger()
  std::mutex mutex_;                     // guards what follows
  std::vector<task> posted_;
  std::map<std::pair<monotonic_time, timer_id>, task> timers_;
  hash_map<timer_id, monotonic_time> timer_times_;
  timer_id next_timer_ = 1;
  bool asleep_ = false;
  bool stopping_ = false;
  bool discarding_ = false;
};

}  // namespace ringlog::io
