#include "server/connection_home.h"

#include <utility>

#include "server/client_connection.h"

namespace ringlog::server {

connection_home::connection_home(io::loop& loop, io::network& network,
                                 std::shared_ptr<shared_state> shared)
    : loop_(loop), network_(network), shared_(std::move(shared)) {}

void connection_home::add(client_connection& opened) {
  opened.index = connections_.size();
  connections_.push_back(&opened);
  if (is_draining_) opened.drain();
  if (sweep_ == 0) sweep_later();
}

void connection_home::remove(client_connection& gone) {
  const std::size_t place = gone.index;
  CHECK(connections_[place] == &gone, "a connection that its home does not know");
  connections_[place] = connections_.back();
  connections_[place]->index = place;
  connections_.pop_back();
  if (connections_.empty()) loop_.cancel(std::exchange(sweep_, 0));
}

void connection_home::sweep_later() {
  const monotonic_time next = shared_->time.now() + limits::connection_sweep_interval;
  sweep_ = loop_.schedule_at(next, [this] { sweep(); });
}

void connection_home::sweep() {
  const monotonic_time now = shared_->time.now();
  for (client_connection* one : connections_) one->check_idle(now);
  sweep_later();
}

void connection_home::drain() {
  is_draining_ = true;
  for (client_connection* one : connections_) one->drain();
}

}  // namespace ringlog::server
