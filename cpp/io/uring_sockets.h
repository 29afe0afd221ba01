#pragma once

#include <liburing.h>

#include <deque>
#include <optional>
#include <vector>

#include "io/receive_buffers.h"
#include "io/socket_driver.h"

namespace ringlog::io {

// Sockets on the ring of an engine. Accepting and receiving are asked for once and answered many
// times (multishot, Linux 5.19 and 6.0); received bytes come in buffers that the kernel picks when
// there are bytes. Where it cannot do that, a poll tells that there are bytes and a plain call
// takes them: an idle connection costs no buffer either way. Requests gather in a list and enter
// the ring when the loop waits, so that all sends of a round are one system call.
class uring_sockets final : public socket_driver {
 public:
  explicit uring_sockets(io_uring& ring) : ring_(ring) {}

  status watch(watched_socket& target) override;
  void accept(watched_socket& target) override;
  void connect(watched_socket& target) override;
  void receive(watched_socket& target) override;
  void stop_receiving(watched_socket& target) override;
  void send(watched_socket& target) override;
  void remind(watched_socket& target) override;
  void release(watched_socket& target) override;
  void run_events() override;
  bool has_events() const override { return !events_.empty(); }

  // For the engine. Puts the requests into the ring; false when it had no room for all.
  bool flush();

  // Takes a completion whose user data is one of ours.
  static bool is_ours(const io_uring_cqe& entry);
  void reap(const io_uring_cqe& entry);

 private:
  struct queued_request {
    watched_socket* target;
    request what;
    bool cancels;
  };
  enum class event_kind : std::uint8_t { answer, reminder, release };
  struct event {
    watched_socket* target;
    event_kind kind;
    request what;
    int outcome;
    unsigned flags;
  };

  void ask(watched_socket& target, request what);
  void cancel(watched_socket& target, request what);
  io_uring_sqe* next_entry();
  void issue(const queued_request& wanted, io_uring_sqe& entry);
  void prepare_buffers();
  void release_if_idle(watched_socket& target);
  void run(const event& happened);
  void answer(const event& happened);
  void answer_accept(const event& happened);
  void answer_receive(const event& happened);
  void receive_plainly(watched_socket& target);

  io_uring& ring_;
  std::deque<queued_request> requests_;
  std::vector<event> events_;
  std::vector<event> running_;

  bool accepts_many_ = true;
  bool buffers_tried_ = false;
  std::optional<receive_buffers> buffers_;
  bool picks_buffers_ = false;  // receives are multishot and the kernel picks buffers_
  byte_buffer plain_buffer_;    // otherwise
};

}  // namespace ringlog::io
