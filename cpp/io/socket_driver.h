#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "io/socket_address.h"

namespace ringlog::io {

// A socket in the care of an engine's driver: a stream or a listener. Its on_ functions are called
// by the loop, never inside a request. Lives until on_released(), which may delete it.
class watched_socket {
 public:
  virtual ~watched_socket() = default;

  virtual int descriptor() const = 0;

  // A new descriptor or -errno. Goes on after a descriptor; after a failure accept() again.
  virtual void on_accepted(int) { not_asked_for(); }

  // Where to connect to; valid until on_connected(), which gets 0 or -errno.
  virtual const socket_address::system_form& target_address() { not_asked_for(); }
  virtual void on_connected(int) { not_asked_for(); }

  // Bytes for this call; their number, 0 at the end, or -errno. The last two end the receiving.
  // After stop_receiving() a few may come yet.
  virtual void on_received(std::int64_t, bytes_view) { not_asked_for(); }

  // What to send next; valid until on_sent().
  virtual const msghdr& gather() { not_asked_for(); }
  virtual void on_sent(std::int64_t) { not_asked_for(); }  // bytes or -errno

  virtual void on_reminded() {}

  // The last call: nothing of it is under way, the descriptor may be closed.
  virtual void on_released() = 0;

 protected:
  [[noreturn]] static void not_asked_for() {
    check_failed(__FILE__, __LINE__, "a request", "an answer to what was never asked for");
  }

 private:
  friend class uring_sockets;
  friend class epoll_sockets;

  // The driver's notes: sets of socket_driver::request, and what it knows.
  std::uint8_t wanted_ = 0;
  std::uint8_t with_kernel_ = 0;
  std::uint16_t queued_ = 0;  // how often it stands in a list of the driver
  bool releasing_ = false;
  bool receives_ = false;
  bool readable_ = false;
  bool writable_ = false;
  bool has_ended_ = false;
  bool reminded_ = false;
};

// What an engine does with sockets; each engine has one of its own kind. All on its thread. A
// request may be made anew once it has been answered.
class socket_driver {
 public:
  virtual ~socket_driver() { CHECK(open_ == 0, "an engine dies with open sockets:", open_); }

  // Takes it into its care; from here on the loop waits for on_released().
  virtual status watch(watched_socket& target) = 0;

  virtual void accept(watched_socket& target) = 0;
  virtual void connect(watched_socket& target) = 0;
  virtual void receive(watched_socket& target) = 0;
  virtual void stop_receiving(watched_socket& target) = 0;
  virtual void send(watched_socket& target) = 0;
  virtual void remind(watched_socket& target) = 0;  // on_reminded() soon

  // Ends all that is under way, then on_released().
  virtual void release(watched_socket& target) = 0;

  // For the loop: calls the sockets about what has happened.
  virtual void run_events() = 0;
  virtual bool has_events() const = 0;
  std::size_t open_count() const { return open_; }

 protected:
  enum request : std::uint8_t { accepting = 1, connecting = 2, receiving = 4, sending = 8 };

  std::size_t open_ = 0;
};

}  // namespace ringlog::io
