#include "broker/usage_rate.h"

#include <algorithm>

namespace ringlog::broker {

void usage_rate::add(milliseconds now, double amount) {
  if (samples_.empty()) {
    samples_.push_back({now, now});
  } else if (now - samples_[current_].start >= window_) {
    current_ = (current_ + 1) % windows_;
    if (current_ == samples_.size()) {
      samples_.push_back({now, now});
    } else {
      samples_[current_] = {now, now};
    }
  }
  samples_[current_].total += amount;
  samples_[current_].last_used = last_used_ = now;
}

usage_rate::measurement usage_rate::measure(milliseconds now) {
  forget_old(now);
  measurement measured;
  if (samples_.empty()) return measured;
  milliseconds oldest = now;
  double total = 0;
  for (const sample& one : samples_) {
    oldest = std::min(oldest, one.start);
    total += one.total;
  }
  measured.over = now - oldest;
  const auto full = measured.over / window_;
  const auto full_min = static_cast<std::int64_t>(windows_) - 1;
  if (full < full_min) measured.over += (full_min - full) * window_;
  measured.over = std::max(measured.over, window_);
  constexpr double ms_per_second = 1000;
  measured.per_second = total * ms_per_second / static_cast<double>(measured.over.count());
  return measured;
}

void usage_rate::forget_old(milliseconds now) {
  const milliseconds age_max = static_cast<std::int64_t>(windows_) * window_;
  for (sample& one : samples_) {
    if (now - one.last_used >= age_max) one = {now, now};
  }
}

}  // namespace ringlog::broker
