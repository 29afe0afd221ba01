#pragma once

#include <sys/types.h>

#include <array>
#include <mutex>

#include "base/random.h"

namespace ringlog::io {

// The kernel's random numbers (getrandom), fetched in blocks. Callable from any thread; a forked
// child throws the parent's block away, so the two never hand out the same numbers.
class system_random final : public random_source {
 public:
  std::uint64_t next() override;

 private:
  void refill();

  std::mutex mutex_;
  std::array<std::uint64_t, 64> block_{};
  std::size_t used_ = block_.size();
  pid_t filled_by_ = 0;
};

}  // namespace ringlog::io
