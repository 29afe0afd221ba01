#include "io/socket_stream.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "io/network_limits.h"
#include "io/socket_network.h"

namespace ringlog::io {

socket_stream::socket_stream(socket_network& home, socket_descriptor socket,
                             const socket_address& peer)
    : home_(home), socket_(std::move(socket)), peer_(peer) {}

// ---- beginning

void socket_stream::open() {
  user_->opened(*this);
  if (may_receive()) home_.driver().receive(*this);
}

void socket_stream::connect(socket_address::system_form target, monotonic_time deadline) {
  attempt_ = std::make_unique<attempt>();
  attempt_->target = std::move(target);
  attempt_->deadline = home_.loop_of().schedule_at(deadline, [this] {
    close(make_error(error_code::timed_out,
                     "cannot connect to {}: no answer in time; is that machine up, and does a "
                     "firewall drop what goes there?",
                     peer_.text()));
  });
  home_.driver().connect(*this);
}

void socket_stream::on_connected(int outcome) {
  if (outcome == -EAGAIN) {  // the queue of a Unix socket is full; TCP waits by itself
    const monotonic_time again = home_.time().now() + limits::connect_pause;
    attempt_->pause = home_.loop_of().schedule_at(again, [this] { home_.driver().connect(*this); });
    return;
  }
  end_attempt();
  attempt_.reset();
  if (outcome == 0) {
    open();
  } else {
    close(network_error(-outcome, "connect to", peer_));
  }
}

void socket_stream::end_attempt() {
  if (attempt_ == nullptr) return;
  home_.loop_of().cancel(attempt_->deadline);
  home_.loop_of().cancel(attempt_->pause);
}

// ---- receiving

void socket_stream::on_received(std::int64_t outcome, bytes_view bytes) {
  if (closing_) return;
  if (outcome < 0) {
    close(network_error(static_cast<int>(-outcome), "receive from", peer_));
  } else if (paused_ || held_ != nullptr) {
    if (held_ == nullptr) held_ = std::make_unique<byte_buffer>();
    append(*held_, bytes);
    if (outcome == 0) held_end_ = true;
  } else if (outcome == 0) {
    take_end();
  } else {
    user_->received(bytes);
  }
}

void socket_stream::take_end() {
  peer_ended_ = true;
  user_->peer_ended();
  close_if_both_ended();
}

void socket_stream::pause() {
  if (paused_ || closing_) return;
  paused_ = true;
  home_.driver().stop_receiving(*this);
}

void socket_stream::resume() {
  if (!paused_ || closing_) return;
  paused_ = false;
  if (held_ != nullptr) {
    home_.driver().remind(*this);
  } else if (may_receive()) {
    home_.driver().receive(*this);
  }
}

// What came during the pause goes first; only then more is asked for.
void socket_stream::on_reminded() {
  if (held_ == nullptr || paused_ || closing_) return;
  const std::unique_ptr<byte_buffer> bytes = std::move(held_);
  if (!bytes->empty()) user_->received(*bytes);
  if (held_end_) {
    if (!may_receive()) {
      if (!closing_) held_ = std::make_unique<byte_buffer>();  // paused anew: the end is still held
      return;
    }
    held_end_ = false;
    take_end();
  } else if (may_receive()) {
    home_.driver().receive(*this);
  }
}

// ---- sending

void socket_stream::send(std::vector<shared_bytes> parts) {
  if (closing_) return;
  CHECK(!ending_, "send() after end_sending()");
  std::erase_if(parts, [](const shared_bytes& part) { return part.bytes.empty(); });
  if (parts.empty()) return;
  const bool is_first = outgoing_ == nullptr;
  if (is_first) outgoing_ = std::make_unique<outgoing>();
  for (const shared_bytes& part : parts) outgoing_->bytes += part.bytes.size();
  if (is_first) {
    outgoing_->parts = std::move(parts);
    home_.driver().send(*this);
  } else {
    std::ranges::move(parts, std::back_inserter(outgoing_->parts));
  }
}

std::size_t socket_stream::unsent_bytes() const {
  return outgoing_ == nullptr ? 0 : outgoing_->bytes;
}

const msghdr& socket_stream::gather() {
  outgoing& all = *outgoing_;
  const std::size_t count = std::min(all.parts.size() - all.first, limits::send_parts_max);
  all.gathered.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bytes_view bytes = all.parts[all.first + i].bytes.subspan(i == 0 ? all.taken : 0);
    all.gathered[i] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  }
  all.message.msg_iov = all.gathered.data();
  all.message.msg_iovlen = count;
  return all.message;
}

void socket_stream::on_sent(std::int64_t outcome) {
  if (closing_) return;
  if (outcome < 0) return close(network_error(static_cast<int>(-outcome), "send to", peer_));
  outgoing_->advance(static_cast<std::size_t>(outcome));
  if (outgoing_->bytes > 0) {
    home_.driver().send(*this);
  } else {
    outgoing_.reset();
    if (ending_) shut_down();
  }
  if (!closing_) user_->sent();
}

void socket_stream::outgoing::advance(std::size_t size) {
  CHECK(size <= bytes, "the kernel took more bytes than it was given", size, bytes);
  bytes -= size;
  taken += size;
  while (first < parts.size() && taken >= parts[first].bytes.size()) {
    taken -= parts[first].bytes.size();
    parts[first++] = {};
  }
  // Parts that are added while others are sent must not let the list grow for ever.
  if (first > limits::send_parts_max && first > parts.size() / 2) {
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
}

// ---- the end

void socket_stream::end_sending() {
  if (ending_ || closing_) return;
  ending_ = true;
  if (outgoing_ == nullptr) shut_down();
}

void socket_stream::shut_down() {
  ended_ = true;
  ::shutdown(descriptor(), SHUT_WR);  // fails only when the peer is gone, which receiving tells
  close_if_both_ended();
}

void socket_stream::close_if_both_ended() {
  if (!ended_ || !peer_ended_ || closing_) return;
  close(make_error(error_code::closed, "{} and we have both ended the connection", peer_.text()));
}

void socket_stream::close(error cause) {
  if (closing_) return;
  closing_ = true;
  cause_ = std::make_unique<error>(std::move(cause));
  end_attempt();
  home_.driver().release(*this);
}

void socket_stream::reset(error cause) {
  if (closing_) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(std::move(cause));
}

void socket_stream::on_released() {
  const std::unique_ptr<socket_stream> self = home_.forget(*this);
  socket_ = {};
  user_->closed(*cause_);
}

result<int> socket_stream::peer_process() const {
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(descriptor(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.pid <= 0) {
    return make_error(error_code::unsupported, "{} does not tell its process: only Unix sockets do",
                      peer_.text());
  }
  return who.pid;
}

}  // namespace ringlog::io
