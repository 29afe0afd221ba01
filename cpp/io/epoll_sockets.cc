#include "io/epoll_sockets.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/network_limits.h"

namespace ringlog::io {
namespace {

void make_non_blocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  CHECK(flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0, "fcntl, errno", errno);
}

bool would_block(int errno_value) { return errno_value == EAGAIN || errno_value == EINTR; }

}  // namespace

status epoll_sockets::watch(watched_socket& target) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &target;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, target.descriptor(), &event) != 0) {
    return error_from_errno(errno, "watch", "a socket");
  }
  ++open_;
  return {};
}

void epoll_sockets::ask(watched_socket& target, request what) {
  CHECK((target.wanted_ & what) == 0, "a request is made again before its answer");
  CHECK(!target.releasing_, "a request for a socket that is being released");
  target.wanted_ |= what;
  if (may(target, what)) queue(target);
}

void epoll_sockets::queue(watched_socket& target) {
  if (target.queued_ > 0) return;
  target.queued_ = 1;
  ready_.push_back(&target);
}

bool epoll_sockets::may(const watched_socket& target, request what) const {
  const bool is_ready = (what & (accepting | receiving)) != 0 ? target.readable_ : target.writable_;
  return (target.wanted_ & what) != 0 && is_ready && !target.releasing_;
}

void epoll_sockets::accept(watched_socket& target) {
  make_non_blocking(target.descriptor());
  ask(target, accepting);
}

void epoll_sockets::receive(watched_socket& target) {
  if ((target.wanted_ & receiving) == 0) ask(target, receiving);
}

void epoll_sockets::stop_receiving(watched_socket& target) {
  target.wanted_ &= static_cast<std::uint8_t>(~receiving);
}

// Whether it would block is known after the first try.
void epoll_sockets::send(watched_socket& target) {
  target.writable_ = true;
  ask(target, sending);
}

void epoll_sockets::connect(watched_socket& target) {
  target.with_kernel_ |= connecting;  // not yet: start_connecting is to be called
  target.writable_ = true;
  ask(target, connecting);
}

void epoll_sockets::remind(watched_socket& target) {
  target.reminded_ = true;
  queue(target);
}

void epoll_sockets::release(watched_socket& target) {
  CHECK(!target.releasing_, "a socket is released twice");
  target.releasing_ = true;
  // By hand: a forked child may hold the descriptor open, which keeps it watched.
  epoll_event ignored{};
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, target.descriptor(), &ignored);
  queue(target);
}

void epoll_sockets::reap(const epoll_event& happened) {
  auto& target = *static_cast<watched_socket*>(happened.data.ptr);
  constexpr std::uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((happened.events & ends) != 0) target.has_ended_ = true;
  if ((happened.events & (EPOLLIN | ends)) != 0) target.readable_ = true;
  if ((happened.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) target.writable_ = true;
  const bool has_work = may(target, accepting) || may(target, connecting) ||
                        may(target, receiving) || may(target, sending);
  if (has_work) queue(target);
}

// Twice, so that what the first round asked to send goes out before the loop waits.
void epoll_sockets::run_events() {
  run_round();
  run_round();
}

void epoll_sockets::run_round() {
  running_.swap(ready_);
  for (watched_socket* target : running_) run(*target);
  running_.clear();
}

void epoll_sockets::run(watched_socket& target) {
  if (target.releasing_) {
    --open_;
    target.on_released();
    return;
  }
  target.queued_ = 0;
  if (std::exchange(target.reminded_, false)) target.on_reminded();
  if (may(target, accepting)) accept_some(target);
  if (may(target, connecting)) {
    if ((target.with_kernel_ & connecting) != 0) {
      start_connecting(target);
    } else {
      end_connecting(target);
    }
  }
  if (may(target, receiving)) receive_some(target);
  if (may(target, sending)) send_some(target);
  const bool has_more = may(target, accepting) || may(target, receiving) ||
                        may(target, connecting) || may(target, sending);
  if (has_more) queue(target);
}

void epoll_sockets::accept_some(watched_socket& target) {
  for (int turn = 0; turn < limits::accepts_per_turn && may(target, accepting); ++turn) {
    const int accepted = ::accept4(target.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted >= 0) {
      target.on_accepted(accepted);
    } else if (errno == EAGAIN) {
      target.readable_ = false;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      target.wanted_ &= static_cast<std::uint8_t>(~accepting);
      target.on_accepted(-errno);
    }
  }
}

void epoll_sockets::start_connecting(watched_socket& target) {
  make_non_blocking(target.descriptor());
  target.readable_ = target.has_ended_ = false;  // a socket that is not connected says otherwise
  const socket_address::system_form& address = target.target_address();
  const int outcome = ::connect(target.descriptor(), address.address(), address.size);
  target.with_kernel_ &= static_cast<std::uint8_t>(~connecting);
  if (outcome != 0 && (errno == EINPROGRESS || errno == EINTR)) {
    target.writable_ = false;
    return;
  }
  target.wanted_ &= static_cast<std::uint8_t>(~connecting);
  target.on_connected(outcome == 0 ? 0 : -errno);
}

void epoll_sockets::end_connecting(watched_socket& target) {
  int failure = 0;
  socklen_t size = sizeof(failure);
  CHECK(::getsockopt(target.descriptor(), SOL_SOCKET, SO_ERROR, &failure, &size) == 0,
        "getsockopt, errno", errno);
  sockaddr_storage peer;
  socklen_t peer_size = sizeof(peer);
  const bool is_early =
      failure == 0 &&
      ::getpeername(target.descriptor(), reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0;
  if (is_early) {
    target.writable_ = false;
    return;
  }
  target.wanted_ &= static_cast<std::uint8_t>(~connecting);
  target.on_connected(-failure);
}

void epoll_sockets::receive_some(watched_socket& target) {
  buffer_.resize(limits::receive_buffer_bytes);
  for (int turn = 0; turn < limits::receives_per_turn && may(target, receiving); ++turn) {
    const ssize_t size = ::recv(target.descriptor(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      target.readable_ = false;
      return;
    }
    const std::int64_t outcome = size < 0 ? -errno : size;
    const auto bytes = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
    // Less than there was room for is all there is, unless the end is there already.
    if (bytes < buffer_.size() && !target.has_ended_) target.readable_ = false;
    if (outcome <= 0) target.wanted_ &= static_cast<std::uint8_t>(~receiving);
    target.on_received(outcome, {buffer_.data(), bytes});
  }
}

void epoll_sockets::send_some(watched_socket& target) {
  const ssize_t size =
      ::sendmsg(target.descriptor(), &target.gather(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size < 0 && would_block(errno)) {
    target.writable_ = errno == EINTR;
    return;
  }
  target.wanted_ &= static_cast<std::uint8_t>(~sending);
  target.on_sent(size < 0 ? -errno : size);
}

}  // namespace ringlog::io
