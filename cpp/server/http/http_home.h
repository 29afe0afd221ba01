#pragma once

#include <memory>
#include <set>

#include "io/loop.h"
#include "io/network.h"
#include "server/http/http_connection.h"
#include "server/shared_state.h"

namespace ringlog::server {

// The HTTP endpoint, on a network thread of its own: `/metrics` (see metrics_page.h) and `/health`,
// which is 503 when nothing can be written any more. Listens from listen() until the network is
// closed.
//
// Made and destroyed while the thread's loop does not run; else all on that thread. The loop and
// the network outlive it.
class http_home {
 public:
  http_home(io::loop& loop, io::network& network, std::shared_ptr<shared_state> shared);
  ~http_home();

  // Any thread; answers on the loop's.
  void listen(const io::socket_address& where, callback<void(result<io::socket_address>)> done);

  io::loop& loop() { return loop_; }
  const clock& time() const { return shared_->time; }

  // For connections.
  void add(http_connection& opened);
  void remove(http_connection& gone);
  void answer(const http_request& request, callback<void(http_writer)> done);

 private:
  class acceptor;

  void sweep_later();

  io::loop& loop_;
  io::network& network_;
  const std::shared_ptr<shared_state> shared_;
  std::size_t accepted_ = 0;  // connections that are not closed yet
  std::set<http_connection*> open_;
  executor::timer_id sweep_ = 0;  // while some are open
};

}  // namespace ringlog::server
