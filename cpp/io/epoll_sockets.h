#pragma once

#include <sys/epoll.h>

#include <vector>

#include "io/socket_driver.h"

namespace ringlog::io {

// Sockets by readiness: each is watched once, edge-triggered, and what epoll said of it is
// remembered, so that pausing, resuming and sending need no further calls of epoll. Bytes are
// received into the engine's one buffer. A ready socket has a bounded turn, then the next has its.
class epoll_sockets final : public socket_driver {
 public:
  // The engine's epoll descriptor, open as long as this lives.
  explicit epoll_sockets(const owned_descriptor& epoll) : epoll_(epoll) {}

  status watch(watched_socket& target) override;
  void accept(watched_socket& target) override;
  void connect(watched_socket& target) override;
  void receive(watched_socket& target) override;
  void stop_receiving(watched_socket& target) override;
  void send(watched_socket& target) override;
  void remind(watched_socket& target) override;
  void release(watched_socket& target) override;
  void run_events() override;
  bool has_events() const override { return !ready_.empty(); }

  // For the engine: an event whose data is a watched_socket.
  void reap(const epoll_event& happened);

 private:
  void ask(watched_socket& target, request what);
  void queue(watched_socket& target);
  void run_round();
  void run(watched_socket& target);
  bool may(const watched_socket& target, request what) const;
  void accept_some(watched_socket& target);
  void start_connecting(watched_socket& target);
  void end_connecting(watched_socket& target);
  void receive_some(watched_socket& target);
  void send_some(watched_socket& target);

  const owned_descriptor& epoll_;
  std::vector<watched_socket*> ready_;
  std::vector<watched_socket*> running_;
  byte_buffer buffer_;
};

}  // namespace ringlog::io
