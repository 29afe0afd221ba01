#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "base/clock.h"

namespace ringlog::app {

// A bar on the terminal, redrawn a few times a second; nothing where no terminal is watched.
class progress {
 public:
  // `total` in whatever is counted; 0: not known.
  progress(std::string what, std::int64_t total, const clock& time);
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void show(std::int64_t done);

 private:
  void clear();

  const std::string what_;
  const std::int64_t total_;
  const clock& time_;
  const bool is_watched_;
  monotonic_time next_{};
  std::size_t width_ = 0;
};

}  // namespace ringlog::app
