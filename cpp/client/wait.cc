#include "client/wait.h"

#include <algorithm>
#include <thread>

#include "base/pause_processor.h"

namespace ringlog::client {

wait_limit wait_limit::after(milliseconds timeout, callback<status()>* interrupted) {
  // A day is as good as for ever and does not overflow the clock's arithmetic.
  const milliseconds bounded = std::clamp(timeout, milliseconds{0}, milliseconds{86'400'000} * 365);
  return {std::chrono::steady_clock::now() + bounded, interrupted};
}

milliseconds wait_limit::left() const {
  return std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
}

void wait_point::signal() {
  {
    const std::lock_guard guard(mutex_);
    signalled_.store(true, std::memory_order_release);
  }
  changed_.notify_all();
}

namespace {

using std::chrono::steady_clock;

// How long a thread's last waits were. Below zero: it sleeps at once, for so many short waits more.
thread_local int short_waits = 0;
constexpr int short_waits_max = 8;
constexpr int long_wait = 4;  // outweighs so many short ones

std::atomic<unsigned> looking_out = 0;  // threads in a wait that is expected to be short

unsigned cores() {
  static const unsigned count = std::thread::hardware_concurrency();
  return count;
}

}  // namespace

status wait_point::wait(const wait_limit& limit) {
  const auto look_end = steady_clock::now() + look_max;
  if (short_waits < 0 || look_end > limit.deadline) {
    const status outcome = sleep(limit);
    if (short_waits < 0 && steady_clock::now() < look_end) ++short_waits;
    return outcome;
  }
  looking_out.fetch_add(1, std::memory_order_relaxed);
  const status outcome = look(look_end) ? status{} : sleep(limit);
  looking_out.fetch_sub(1, std::memory_order_relaxed);
  if (steady_clock::now() < look_end) {
    short_waits = std::min(short_waits + 1, short_waits_max);
  } else {
    short_waits -= long_wait;
    if (short_waits < 0) short_waits = -looks_apart;
  }
  return outcome;
}

// Begins only where it leaves a core for who will signal, ends early where more threads come.
bool wait_point::look(steady_clock::time_point end) {
  if (looking_out.load(std::memory_order_relaxed) >= cores()) return false;
  do {
    for (int i = 0; i < 8; ++i) {
      if (signalled_.load(std::memory_order_relaxed)) return take_signal();
      pause_processor();
    }
    if (looking_out.load(std::memory_order_relaxed) > cores()) return false;
  } while (steady_clock::now() < end);
  return false;
}

status wait_point::sleep(const wait_limit& limit) {
  for (;;) {
    {
      std::unique_lock guard(mutex_);
      const auto slice = std::min(limit.deadline, steady_clock::now() + wait_slice_max);
      if (changed_.wait_until(guard, slice, [this] { return take_signal(); })) return {};
    }
    if (limit.interrupted != nullptr && *limit.interrupted) TRY((*limit.interrupted)());
    if (limit.over()) return make_error(error_code::timed_out, "the time is over");
  }
}

}  // namespace ringlog::client
