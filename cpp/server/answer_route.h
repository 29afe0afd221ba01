#pragma once

#include <memory>
#include <mutex>

#include "io/loop.h"

namespace ringlog::server {

class client_connection;

// The way back to a connection from wherever something for it is made: any thread, any time, also
// when the connection is gone. Shared by the connection and whoever may have something for it.
class answer_route : public std::enable_shared_from_this<answer_route> {
 public:
  using action = callback<void(client_connection&)>;

  answer_route(io::loop& home, client_connection& target) : home_(&home), target_(&target) {}

  // Runs `what` on the connection's thread: at once inside a request that the connection begins,
  // else from its loop. When the connection has closed, `otherwise` is run in its place.
  void run(
      action what, task otherwise = [] {});

  // For the connection, on its thread: it goes, and the loop may go, too.
  void close();

 private:
  std::mutex mutex_;
  io::loop* home_;             // null when it is closed
  client_connection* target_;  // likewise; changed and used on its thread
};

}  // namespace ringlog::server
