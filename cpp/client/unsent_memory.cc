#include "client/unsent_memory.h"

#include <algorithm>

namespace ringlog::client {

void unsent_memory::release(std::int64_t bytes) {
  left_.fetch_add(bytes);
  // A waiter counts itself before it looks at left_, so one of the two sees the other.
  if (waiting_.load() == 0) return;
  const std::lock_guard guard(mutex_);
  for (const auto& point : points_) point->signal();
}

void unsent_memory::add(const std::shared_ptr<wait_point>& point) {
  const std::lock_guard guard(mutex_);
  points_.push_back(point);
  ++waiting_;
}

void unsent_memory::remove(const std::shared_ptr<wait_point>& point) {
  const std::lock_guard guard(mutex_);
  points_.erase(std::find(points_.begin(), points_.end(), point));
  --waiting_;
}

}  // namespace ringlog::client
