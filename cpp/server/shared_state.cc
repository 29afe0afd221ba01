#include "server/shared_state.h"

namespace ringlog::server {

bool connection_counts::add(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (all_ >= limits_.connections_max) return false;
  std::int64_t& same = by_address_[address];
  if (same >= limits_.connections_per_address_max) return false;
  ++same;
  ++all_;
  return true;
}

void connection_counts::remove(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(address);
  CHECK(found != by_address_.end(), "a connection that was not counted", address);
  --all_;
  if (--found->second == 0) by_address_.erase(found);
}

std::int64_t connection_counts::all() const {
  const std::lock_guard lock(mutex_);
  return all_;
}

}  // namespace ringlog::server
