#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace ringlog {

// The seed of a randomised test: RINGLOG_SEED, else a new one. Printed, so that a failure can be
// run again.
inline std::uint64_t test_seed() {
  const char* given = std::getenv("RINGLOG_SEED");
  const std::uint64_t seed =
      given != nullptr
          ? std::strtoull(given, nullptr, 0)
          : static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  std::printf("RINGLOG_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace ringlog
