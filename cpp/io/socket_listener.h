#pragma once

#include <memory>

#include "base/executor.h"
#include "io/network.h"
#include "io/socket_descriptor.h"
#include "io/socket_driver.h"

namespace ringlog::io {

class socket_network;

// The listener of io/network.h over an engine's driver.
class socket_listener final : public listener, public watched_socket {
 public:
  // Binds and listens, but accepts nothing yet.
  static result<std::unique_ptr<socket_listener>> make(socket_network& home,
                                                       const socket_address& where,
                                                       std::unique_ptr<listener_user> user,
                                                       const socket_options& options);

  // For the network, once, on a socket that the driver watches.
  void open();

  const socket_address& address() const override { return address_; }
  void close() override;

  int descriptor() const override { return socket_.number(); }
  void on_accepted(int outcome) override;
  void on_released() override;

 private:
  explicit socket_listener(socket_network& home) : home_(home) {}

  status bind_and_listen(const socket_options& options);
  void hand_over(socket_descriptor socket);

  socket_network& home_;
  socket_descriptor socket_;
  socket_address address_;
  std::unique_ptr<listener_user> user_;
  executor::timer_id pause_ = 0;
  bool closing_ = false;
};

}  // namespace ringlog::io
