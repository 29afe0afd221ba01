#pragma once

#include <memory>
#include <vector>

#include "io/loop.h"
#include "io/network.h"
#include "io/socket_stream.h"

namespace ringlog::io {

class socket_listener;

// The network of io/network.h over the sockets of either engine: TCP (TCP_NODELAY, SO_KEEPALIVE)
// and Unix sockets. Outlives the last run() of its loop, and is empty when it dies.
class socket_network final : public network {
 public:
  socket_network(loop& engine, const clock& time);
  ~socket_network() override;

  result<listener*> listen(const socket_address& where, std::unique_ptr<listener_user> user,
                           const socket_options& options = {}) override;
  void connect(const socket_address& where, monotonic_time deadline,
               std::unique_ptr<connection_user> user, const socket_options& options = {}) override;
  void close_all(const error& cause) override;
  std::size_t connection_count() const override { return streams_.size(); }

  // For its listeners and connections.
  loop& loop_of() { return loop_; }
  const clock& time() const { return clock_; }
  socket_driver& driver() { return loop_.sockets(); }
  void adopt(socket_descriptor socket, std::unique_ptr<connection_user> user);
  std::unique_ptr<socket_stream> forget(socket_stream& gone);
  std::unique_ptr<socket_listener> forget(socket_listener& gone);

 private:
  // Null when the engine cannot watch it; then the user has been told.
  socket_stream* keep(socket_descriptor socket, const socket_address& peer,
                      std::unique_ptr<connection_user> user);
  void refuse(std::unique_ptr<connection_user> user, error cause);

  loop& loop_;
  const clock& clock_;
  std::vector<std::unique_ptr<socket_stream>> streams_;
  std::vector<std::unique_ptr<socket_listener>> listeners_;
  std::unique_ptr<error> closed_;  // by close_all()
};

}  // namespace ringlog::io
