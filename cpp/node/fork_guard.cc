#include "node/fork_guard.h"

#include <pthread.h>

#include <atomic>

namespace ringlog::node {
namespace {

std::atomic<std::uint32_t> generation{0};

// Registered when the library is loaded: a fork before would not matter to anybody.
const int registered =
    ::pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

std::uint32_t fork_generation() {
  static_cast<void>(registered);
  return generation.load(std::memory_order_relaxed);
}

}  // namespace ringlog::node
