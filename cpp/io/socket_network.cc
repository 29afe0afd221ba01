#include "io/socket_network.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/socket_listener.h"
#include "io/socket_setup.h"

namespace ringlog::io {

socket_network::socket_network(loop& engine, const clock& time) : loop_(engine), clock_(time) {}

socket_network::~socket_network() {
  CHECK(streams_.empty(), "a network dies with open connections:", streams_.size());
  CHECK(listeners_.empty(), "a network dies with open listeners:", listeners_.size());
}

result<listener*> socket_network::listen(const socket_address& where,
                                         std::unique_ptr<listener_user> user,
                                         const socket_options& options) {
  CHECK(loop_.on_own_thread(), "a network is used on its engine's own thread");
  if (closed_ != nullptr) return *closed_;
  TRY_ASSIGN(auto made, socket_listener::make(*this, where, std::move(user), options));
  TRY(driver().watch(*made));
  made->open();
  listeners_.push_back(std::move(made));
  return listeners_.back().get();
}

void socket_network::connect(const socket_address& where, monotonic_time deadline,
                             std::unique_ptr<connection_user> user, const socket_options& options) {
  CHECK(loop_.on_own_thread(), "a network is used on its engine's own thread");
  if (closed_ != nullptr) return refuse(std::move(user), *closed_);
  auto target = where.to_system();
  if (!target.ok()) return refuse(std::move(user), std::move(target.failure()));
  socket_descriptor socket = make_socket(where.family(), options);
  if (!socket.is_open()) {
    return refuse(std::move(user), network_error(errno, "connect to", where));
  }
  socket_stream* made = keep(std::move(socket), where, std::move(user));
  if (made != nullptr) made->connect(std::move(target).value(), deadline);
}

void socket_network::adopt(socket_descriptor socket, std::unique_ptr<connection_user> user) {
  if (closed_ != nullptr) return refuse(std::move(user), *closed_);
  const socket_address peer = socket_address::peer_of(socket.number());
  socket_stream* made = keep(std::move(socket), peer, std::move(user));
  if (made != nullptr) made->open();
}

socket_stream* socket_network::keep(socket_descriptor socket, const socket_address& peer,
                                    std::unique_ptr<connection_user> user) {
  set_up_stream(socket.number(), peer);
  auto made = std::make_unique<socket_stream>(*this, std::move(socket), peer);
  const status watched = driver().watch(*made);
  if (!watched.ok()) {
    refuse(std::move(user), watched.failure());
    return nullptr;
  }
  made->set_user(std::move(user));
  made->index = streams_.size();
  streams_.push_back(std::move(made));
  return streams_.back().get();
}

// From the loop, never inside a call of its own.
void socket_network::refuse(std::unique_ptr<connection_user> user, error cause) {
  loop_.post([user = std::move(user), cause = std::move(cause)] { user->closed(cause); });
}

void socket_network::close_all(const error& cause) {
  if (closed_ != nullptr) return;
  closed_ = std::make_unique<error>(cause);
  for (const auto& one : listeners_) one->close();
  for (const auto& one : streams_) one->close(cause);
}

std::unique_ptr<socket_stream> socket_network::forget(socket_stream& gone) {
  const std::size_t place = gone.index;
  std::unique_ptr<socket_stream> taken = std::move(streams_[place]);
  CHECK(taken.get() == &gone, "a connection that its network does not know");
  if (place + 1 < streams_.size()) {
    streams_[place] = std::move(streams_.back());
    streams_[place]->index = place;
  }
  streams_.pop_back();
  return taken;
}

std::unique_ptr<socket_listener> socket_network::forget(socket_listener& gone) {
  const auto found =
      std::ranges::find(listeners_, &gone, [](const auto& one) { return one.get(); });
  CHECK(found != listeners_.end(), "a listener that its network does not know");
  std::unique_ptr<socket_listener> taken = std::move(*found);
  listeners_.erase(found);
  return taken;
}

}  // namespace ringlog::io
