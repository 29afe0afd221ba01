#include "server/request_memory.h"

#include <utility>

namespace ringlog::server {

request_memory::share::share(share&& other) noexcept
    : owner_(other.owner_),
      bytes_(std::exchange(other.bytes_, 0)),
      is_beyond_(std::exchange(other.is_beyond_, false)) {}

request_memory::share::~share() {
  if (bytes_ == 0) return;
  {
    const std::lock_guard lock(owner_->mutex_);
    owner_->bytes_ -= bytes_;
    if (is_beyond_) owner_->is_beyond_ = false;
  }
  owner_->pass_on();
}

bool request_memory::share::grow(std::int64_t bytes) {
  {
    const std::lock_guard lock(owner_->mutex_);
    if (!is_beyond_ && !owner_->has_room()) return false;
    if (!is_beyond_ && owner_->bytes_ >= owner_->bytes_max_) is_beyond_ = owner_->is_beyond_ = true;
    owner_->bytes_ += bytes;
    bytes_ += bytes;
  }
  owner_->pass_on();
  return true;
}

void request_memory::when_room(task ask_again) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(ask_again));
  }
  pass_on();
}

// One is called at a time: it passes on when it has taken what it wants.
void request_memory::pass_on() {
  task first;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || !has_room()) return;
    first = std::move(waiting_.front());
    waiting_.pop_front();
  }
  first();
}

std::int64_t request_memory::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace ringlog::server
