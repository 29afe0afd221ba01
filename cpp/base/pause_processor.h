#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ringlog {

// Between two looks at what another thread will change: leaves the core's units to its sibling.
inline void pause_processor() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace ringlog
