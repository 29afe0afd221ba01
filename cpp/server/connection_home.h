#pragma once

#include <memory>
#include <vector>

#include "io/loop.h"
#include "io/network.h"
#include "server/shared_state.h"

namespace ringlog::server {

class client_connection;

// The connections of one network thread. Made and destroyed while the thread's loop does not run
// or by the thread itself; else all on that thread, except where a call says any.
class connection_home {
 public:
  connection_home(io::loop& loop, io::network& network, std::shared_ptr<shared_state> shared);

  io::loop& loop() { return loop_; }                                 // any thread
  io::network& network() { return network_; }                        // any thread may name it
  const std::shared_ptr<shared_state>& shared() { return shared_; }  // any thread

  // For connections, when they open and when they have closed.
  void add(client_connection& opened);
  void remove(client_connection& gone);

  // Each connection closes when its requests under way are answered, those to come at once.
  void drain();

  std::size_t count() const { return connections_.size(); }

 private:
  void sweep_later();
  void sweep();

  io::loop& loop_;
  io::network& network_;
  const std::shared_ptr<shared_state> shared_;
  std::vector<client_connection*> connections_;
  executor::timer_id sweep_ = 0;  // while there are connections
  bool is_draining_ = false;
};

}  // namespace ringlog::server
