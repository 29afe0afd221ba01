#pragma once

#include <memory>
#include <optional>

#include "base/executor.h"
#include "io/network.h"
#include "io/socket_descriptor.h"
#include "io/socket_driver.h"

namespace ringlog::io {

class socket_network;

// The connection of io/network.h over an engine's driver. What only some need (unsent parts, bytes
// that came during a pause, the target of a connect) is held aside, so that an idle one is small.
class socket_stream final : public connection, public watched_socket {
 public:
  socket_stream(socket_network& home, socket_descriptor socket, const socket_address& peer);

  // For the network, once, on a socket that the driver watches: its user; then it is connected, or
  // is to be.
  void set_user(std::unique_ptr<connection_user> user) { user_ = std::move(user); }
  void open();
  void connect(socket_address::system_form target, monotonic_time deadline);

  // Its place among the network's streams.
  std::size_t index = 0;

  void send(std::vector<shared_bytes> parts) override;
  std::size_t unsent_bytes() const override;
  void pause() override;
  void resume() override;
  void end_sending() override;
  void close(error cause) override;
  void reset(error cause) override;
  const socket_address& peer() const override { return peer_; }
  result<int> peer_process() const override;

  int descriptor() const override { return socket_.number(); }
  const socket_address::system_form& target_address() override { return attempt_->target; }
  void on_connected(int outcome) override;
  void on_received(std::int64_t outcome, bytes_view bytes) override;
  const msghdr& gather() override;
  void on_sent(std::int64_t outcome) override;
  void on_reminded() override;
  void on_released() override;

 private:
  // What the kernel has not taken, from `first` on, of which `taken` bytes are gone.
  struct outgoing {
    std::vector<shared_bytes> parts;
    std::size_t first = 0;
    std::size_t taken = 0;
    std::size_t bytes = 0;
    std::vector<iovec> gathered;
    msghdr message{};

    void advance(std::size_t size);
  };
  struct attempt {
    socket_address::system_form target;
    executor::timer_id deadline = 0;
    executor::timer_id pause = 0;
  };

  bool may_receive() const { return !closing_ && !paused_ && !peer_ended_; }
  void end_attempt();
  void take_end();
  void shut_down();
  void close_if_both_ended();

  socket_network& home_;
  socket_descriptor socket_;
  socket_address peer_;
  std::unique_ptr<connection_user> user_;
  std::unique_ptr<attempt> attempt_;
  std::unique_ptr<outgoing> outgoing_;
  std::unique_ptr<byte_buffer> held_;  // came during a pause
  std::unique_ptr<error> cause_;
  bool paused_ = false;
  bool held_end_ = false;  // the peer's end came during a pause
  bool peer_ended_ = false;
  bool ending_ = false;  // end_sending() was called
  bool ended_ = false;   // and what was unsent is sent
  bool closing_ = false;
};

}  // namespace ringlog::io
