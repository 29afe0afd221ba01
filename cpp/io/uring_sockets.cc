#include "io/uring_sockets.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "io/network_limits.h"

namespace ringlog::io {
namespace {

// The low bits of the user data: which request, besides the socket. Operations on files have none.
constexpr std::uint64_t tag_mask = 7;
constexpr std::uint64_t cancel_tag = 7;
static_assert(alignof(watched_socket) > tag_mask);

std::uint64_t tagged(const watched_socket& target, std::uint8_t what) {
  return reinterpret_cast<std::uintptr_t>(&target) | (std::countr_zero(what) + 1u);
}

}  // namespace

bool uring_sockets::is_ours(const io_uring_cqe& entry) { return (entry.user_data & tag_mask) != 0; }

status uring_sockets::watch(watched_socket&) {
  ++open_;
  return {};
}

void uring_sockets::ask(watched_socket& target, request what) {
  CHECK((target.wanted_ & what) == 0, "a request is made again before its answer");
  CHECK(!target.releasing_, "a request for a socket that is being released");
  target.wanted_ |= what;
  ++target.queued_;
  requests_.push_back({&target, what, false});
}

void uring_sockets::cancel(watched_socket& target, request what) {
  if ((target.with_kernel_ & what) == 0) return;
  ++target.queued_;
  requests_.push_back({&target, what, true});
}

void uring_sockets::accept(watched_socket& target) { ask(target, accepting); }

void uring_sockets::connect(watched_socket& target) { ask(target, connecting); }

void uring_sockets::send(watched_socket& target) { ask(target, sending); }

// A receive that is being cancelled is asked for anew by its last answer.
void uring_sockets::receive(watched_socket& target) {
  target.receives_ = true;
  if ((target.wanted_ & receiving) == 0) ask(target, receiving);
}

void uring_sockets::stop_receiving(watched_socket& target) {
  target.receives_ = false;
  cancel(target, receiving);
}

void uring_sockets::remind(watched_socket& target) {
  ++target.queued_;
  events_.push_back({&target, event_kind::reminder, {}, 0, 0});
}

void uring_sockets::release(watched_socket& target) {
  CHECK(!target.releasing_, "a socket is released twice");
  target.releasing_ = true;
  for (const request what : {accepting, connecting, receiving, sending}) cancel(target, what);
  release_if_idle(target);
}

void uring_sockets::release_if_idle(watched_socket& target) {
  if (!target.releasing_ || target.wanted_ != 0 || target.queued_ != 0) return;
  ++target.queued_;
  events_.push_back({&target, event_kind::release, {}, 0, 0});
}

// ---- into the ring

io_uring_sqe* uring_sockets::next_entry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry != nullptr) return entry;
  io_uring_submit(&ring_);
  return io_uring_get_sqe(&ring_);
}

bool uring_sockets::flush() {
  while (!requests_.empty()) {
    const queued_request wanted = requests_.front();
    watched_socket& target = *wanted.target;
    const bool is_under_way = (target.with_kernel_ & wanted.what) != 0;
    const bool is_wanted = !target.releasing_ && (wanted.what != receiving || target.receives_);
    if (wanted.cancels ? is_under_way : is_wanted) {
      io_uring_sqe* entry = next_entry();
      if (entry == nullptr) return false;
      issue(wanted, *entry);
    } else if (!wanted.cancels) {
      target.wanted_ &= static_cast<std::uint8_t>(~wanted.what);
    }
    requests_.pop_front();
    --target.queued_;
    release_if_idle(target);
  }
  return true;
}

void uring_sockets::issue(const queued_request& wanted, io_uring_sqe& entry) {
  watched_socket& target = *wanted.target;
  const std::uint64_t data = tagged(target, wanted.what);
  if (wanted.cancels) {
    io_uring_prep_cancel64(&entry, data, 0);
    io_uring_sqe_set_data64(&entry, cancel_tag);
    return;
  }
  target.with_kernel_ |= wanted.what;
  const int socket = target.descriptor();
  switch (wanted.what) {
    case accepting:
      io_uring_prep_accept(&entry, socket, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepts_many_) entry.ioprio |= IORING_ACCEPT_MULTISHOT;
      break;
    case connecting: {
      const socket_address::system_form& address = target.target_address();
      io_uring_prep_connect(&entry, socket, address.address(), address.size);
      break;
    }
    case receiving:
      prepare_buffers();
      if (picks_buffers_) {
        io_uring_prep_recv_multishot(&entry, socket, nullptr, 0, 0);
        entry.flags |= IOSQE_BUFFER_SELECT;
        entry.buf_group = receive_buffers::group;
      } else {
        io_uring_prep_poll_add(&entry, socket, POLLIN | POLLRDHUP);
      }
      break;
    case sending:
      io_uring_prep_sendmsg(&entry, socket, &target.gather(), MSG_NOSIGNAL);
      break;
  }
  io_uring_sqe_set_data64(&entry, data);
}

// When the first connection receives, so that an engine without sockets does not pay for them.
void uring_sockets::prepare_buffers() {
  if (std::exchange(buffers_tried_, true)) return;
  auto made = receive_buffers::make(ring_);
  if (!made.ok()) return;
  buffers_ = std::move(made).value();
  picks_buffers_ = true;
}

// ---- out of the ring

void uring_sockets::reap(const io_uring_cqe& entry) {
  if (entry.user_data == cancel_tag) return;
  auto& target = *reinterpret_cast<watched_socket*>(entry.user_data & ~tag_mask);
  const auto what = static_cast<request>(1u << ((entry.user_data & tag_mask) - 1));
  if ((entry.flags & IORING_CQE_F_MORE) == 0) {
    target.with_kernel_ &= static_cast<std::uint8_t>(~what);
  }
  events_.push_back({&target, event_kind::answer, what, entry.res, entry.flags});
}

void uring_sockets::run_events() {
  running_.swap(events_);
  for (const event& happened : running_) run(happened);
  running_.clear();
}

void uring_sockets::run(const event& happened) {
  watched_socket& target = *happened.target;
  switch (happened.kind) {
    case event_kind::answer:
      answer(happened);
      return;
    case event_kind::reminder:
      --target.queued_;
      if (!target.releasing_) target.on_reminded();
      release_if_idle(target);
      return;
    case event_kind::release:
      --open_;
      target.on_released();
      return;
  }
}

// While its last answer is run the request counts as made, which keeps the socket; then it may be
// made anew.
void uring_sockets::answer(const event& happened) {
  watched_socket& target = *happened.target;
  ++target.queued_;
  if ((happened.flags & IORING_CQE_F_MORE) == 0) {
    target.wanted_ &= static_cast<std::uint8_t>(~happened.what);
  }
  const bool is_retry = happened.outcome == -EINTR || happened.outcome == -EAGAIN;
  if (happened.what == accepting) {
    answer_accept(happened);
  } else if (happened.what == receiving) {
    answer_receive(happened);
  } else if (!target.releasing_) {
    if (happened.what == connecting) {
      target.on_connected(happened.outcome);
    } else if (is_retry) {
      send(target);
    } else {
      target.on_sent(happened.outcome);
    }
  }
  --target.queued_;
  release_if_idle(target);
}

void uring_sockets::answer_accept(const event& happened) {
  watched_socket& target = *happened.target;
  if (target.releasing_) {
    if (happened.outcome >= 0) ::close(happened.outcome);
    return;
  }
  const bool refuses_many = happened.outcome == -EINVAL && accepts_many_;
  if (refuses_many) accepts_many_ = false;
  const bool is_retry = refuses_many || happened.outcome == -EINTR || happened.outcome == -EAGAIN ||
                        happened.outcome == -ECONNABORTED;
  if (!is_retry) target.on_accepted(happened.outcome);
  const bool goes_on = is_retry || happened.outcome >= 0;
  if (goes_on && !target.releasing_ && (target.wanted_ & accepting) == 0) accept(target);
}

void uring_sockets::answer_receive(const event& happened) {
  watched_socket& target = *happened.target;
  const int outcome = happened.outcome;
  const bool has_buffer = (happened.flags & IORING_CQE_F_BUFFER) != 0;
  const auto number = static_cast<unsigned short>(happened.flags >> IORING_CQE_BUFFER_SHIFT);
  // No buffer was free, a cancellation, or a kernel that does not know multishot receives.
  const bool is_retry = outcome == -ENOBUFS || outcome == -ECANCELED || outcome == -EINTR ||
                        outcome == -EAGAIN || (outcome == -EINVAL && buffers_.has_value());
  if (outcome == -EINVAL) picks_buffers_ = false;
  if (!target.releasing_ && !is_retry) {
    if (outcome > 0 && !has_buffer) {
      receive_plainly(target);
    } else {
      const std::size_t size = outcome > 0 ? static_cast<std::size_t>(outcome) : 0;
      if (outcome <= 0) target.receives_ = false;
      target.on_received(outcome, size > 0 ? buffers_->view(number, size) : bytes_view());
    }
  }
  if (has_buffer) buffers_->give_back(number);
  const bool is_free = (target.wanted_ & receiving) == 0;
  if (is_free && target.receives_ && !target.releasing_) ask(target, receiving);
}

void uring_sockets::receive_plainly(watched_socket& target) {
  plain_buffer_.resize(limits::receive_buffer_bytes);
  for (int turn = 0; turn < limits::receives_per_turn; ++turn) {
    if (target.releasing_ || !target.receives_) return;
    const ssize_t size =
        ::recv(target.descriptor(), plain_buffer_.data(), plain_buffer_.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const std::int64_t outcome = size < 0 ? -errno : size;
    if (outcome <= 0) target.receives_ = false;
    target.on_received(
        outcome, {plain_buffer_.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
  }
}

}  // namespace ringlog::io
