#include "io/system_random.h"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"

namespace ringlog::io {

std::uint64_t system_random::next() {
  const std::lock_guard lock(mutex_);
  if (used_ == block_.size() || filled_by_ != ::getpid()) refill();
  return block_[used_++];
}

void system_random::refill() {
  // Up to 256 bytes come whole once the kernel's pool is seeded; a signal before that is EINTR.
  for (std::size_t filled = 0; filled < sizeof(block_);) {
    const ssize_t got =
        ::getrandom(reinterpret_cast<char*>(block_.data()) + filled, sizeof(block_) - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0, "getrandom failed, errno", errno);
    filled += static_cast<std::size_t>(got);
  }
  used_ = 0;
  filled_by_ = ::getpid();
}

}  // namespace ringlog::io
