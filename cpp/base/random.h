#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ringlog {

// Where randomness comes from: ids, jitter, sampled tests. Production reads the kernel's
// (io/system_random.h); tests and simulation use seeded_random. Not shared between threads unless
// the implementation says so.
namespace detail {
__extension__ using uint128 = unsigned __int128;
}

class random_source {
 public:
  virtual ~random_source() = default;

  virtual std::uint64_t next() = 0;

  // Uniform in [0, bound); bound > 0. (Multiply-shift; the bias below 2^-32 does not matter here.)
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<detail::uint128>(next()) * bound) >> 64);
  }

  bool one_in(std::uint64_t count) { return below(count) == 0; }
};

// splitmix64: small, seedable, the same everywhere. Not for secrets. One thread at a time.
class seeded_random final : public random_source {
 public:
  explicit seeded_random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() override {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace ringlog
