#include "client/wait.h"

#include <algorithm>

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
    signalled_ = true;
  }
  changed_.notify_all();
}

status wait_point::wait(const wait_limit& limit) {
  for (;;) {
    {
      std::unique_lock guard(mutex_);
      const auto slice =
          std::min(limit.deadline, std::chrono::steady_clock::now() + wait_slice_max);
      if (changed_.wait_until(guard, slice, [this] { return signalled_; })) {
        signalled_ = false;
        return {};
      }
    }
    if (limit.interrupted != nullptr && *limit.interrupted) TRY((*limit.interrupted)());
    if (limit.over()) return make_error(error_code::timed_out, "the time is over");
  }
}

}  // namespace ringlog::client
