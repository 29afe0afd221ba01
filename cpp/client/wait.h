#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

// The only place of the library where a caller's thread blocks.
namespace ringlog::client {

// A wait looks up at least this often to see whether its caller wants it to end.
inline constexpr milliseconds wait_slice_max{100};

// When a blocking call gives up, and what it asks meanwhile. `interrupted` (may be empty) is called
// between slices without any lock held; an error from it ends the wait with that error.
struct wait_limit {
  std::chrono::steady_clock::time_point deadline;
  callback<status()>* interrupted = nullptr;

  static wait_limit after(milliseconds timeout, callback<status()>* interrupted = nullptr);

  milliseconds left() const;
  bool over() const { return left() <= milliseconds{0}; }
};

// A condition that one thread waits for and others signal. Signals are remembered until waited for.
//
// Waking a thread on another core costs up to half of a durable write. So a thread whose last waits
// were short looks for the signal for a moment before it sleeps, while there are cores for that.
// Where waits are longer than it looks (a slow disk, busy cores) it is not tried again before
// `looks_apart` short ones.
class wait_point {
 public:
  static constexpr std::chrono::microseconds look_max{500};
  static constexpr int looks_apart = 64;

  // Any thread.
  void signal();

  // Returns success after a signal, timed_out at the deadline, or what `interrupted` said.
  status wait(const wait_limit& limit);

 private:
  bool take_signal() { return signalled_.exchange(false, std::memory_order_acquire); }
  bool look(std::chrono::steady_clock::time_point end);
  status sleep(const wait_limit& limit);

  std::mutex mutex_;  // held for the step to signalled, so that a sleeper does not miss it
  std::condition_variable changed_;
  std::atomic<bool> signalled_ = false;
};

// The answer of an asynchronous facade call, waited for. Shared by the waiter and the reply, so
// that a reply that comes after the waiter gave up finds a place to go.
template <typename T>
class pending_answer {
 public:
  void complete(result<T> answer) {
    {
      const std::lock_guard guard(mutex_);
      answer_.emplace(std::move(answer));
    }
    point_.signal();
  }

  result<T> wait(const wait_limit& limit, std::string_view what) {
    for (;;) {
      {
        const std::lock_guard guard(mutex_);
        if (answer_) {
          taken_ = true;
          return std::move(*answer_);
        }
      }
      status waited = point_.wait(limit);
      if (waited.ok()) continue;
      if (waited.code() != error_code::timed_out) return std::move(waited.failure());
      return make_error(error_code::timed_out, "{} did not finish in time", what);
    }
  }

  // The answer was there and wait() returned it, so what it returned was not a failure to wait.
  bool taken() const { return taken_; }

 private:
  std::mutex mutex_;
  wait_point point_;
  std::optional<result<T>> answer_;
  bool taken_ = false;  // the waiter's
};

// The answer of a call that goes on when the wait for it ends early, so that a caller with little
// time at once gets there by asking again. One thread.
template <typename T>
class kept_answer {
 public:
  explicit operator bool() const { return under_way_ != nullptr; }

  // Forgets one that is under way.
  template <typename Start>
  void start(Start&& call) {
    under_way_ = std::make_shared<pending_answer<T>>();
    call(callback<void(result<T>)>(
        [pending = under_way_](result<T> answer) { pending->complete(std::move(answer)); }));
  }

  // Of one that was started; it is kept when its time was too short.
  result<T> take(const wait_limit& limit, std::string_view what) {
    result<T> answer = under_way_->wait(limit, what);
    const bool goes_on = !under_way_->taken() && answer.code() == error_code::timed_out;
    if (!goes_on) under_way_.reset();
    return answer;
  }

  void forget() { under_way_.reset(); }

 private:
  std::shared_ptr<pending_answer<T>> under_way_;
};

// Starts an asynchronous call and waits for its answer: await<T>(limit, "create topic x",
// [&](auto reply) { broker.create_topic(..., std::move(reply)); }).
template <typename T, typename Start>
result<T> await(const wait_limit& limit, std::string_view what, Start&& start) {
  auto pending = std::make_shared<pending_answer<T>>();
  start(callback<void(result<T>)>(
      [pending](result<T> answer) { pending->complete(std::move(answer)); }));
  return pending->wait(limit, what);
}

}  // namespace ringlog::client
