#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace ringlog::broker {

// How much was used per second over the last windows of time, each a second or so (Kafka: Rate and
// SampledStat). As long as there are fewer, those that are missing count as empty ones, all but
// one. Times do not go back.
class usage_rate {
 public:
  usage_rate(std::size_t windows, milliseconds window) : windows_(windows), window_(window) {}

  void add(milliseconds now, double amount);

  struct measurement {
    double per_second = 0;
    milliseconds over{0};
  };
  measurement measure(milliseconds now);

  milliseconds last_used() const { return last_used_; }

 private:
  struct sample {
    milliseconds start;
    milliseconds last_used;
    double total = 0;
  };

  void forget_old(milliseconds now);

  std::size_t windows_;
  milliseconds window_;
  std::vector<sample> samples_;
  std::size_t current_ = 0;
  milliseconds last_used_{0};
};

}  // namespace ringlog::broker
