#include "io/socket_listener.h"

#include <cerrno>

#include "io/network_limits.h"
#include "io/socket_network.h"
#include "io/socket_setup.h"

namespace ringlog::io {

result<std::unique_ptr<socket_listener>> socket_listener::make(socket_network& home,
                                                               const socket_address& where,
                                                               std::unique_ptr<listener_user> user,
                                                               const socket_options& options) {
  std::unique_ptr<socket_listener> made(new socket_listener(home));
  made->address_ = where;
  made->user_ = std::move(user);
  TRY(made->bind_and_listen(options));
  return made;
}

status socket_listener::bind_and_listen(const socket_options& options) {
  constexpr std::string_view what = "listen on";
  TRY_ASSIGN(const socket_address::system_form target, address_.to_system());
  socket_ = make_socket(address_.family(), options);
  if (!socket_.is_open()) return network_error(errno, what, address_);
  set_option(descriptor(), SOL_SOCKET, SO_REUSEADDR, 1);  // past connections in TIME_WAIT
  const bool listens = ::bind(descriptor(), target.address(), target.size) == 0 &&
                       ::listen(descriptor(), limits::listen_backlog) == 0;
  if (!listens) return network_error(errno, what, address_);
  if (!address_.is_unix()) address_ = socket_address::local_of(descriptor());
  return {};
}

void socket_listener::open() { home_.driver().accept(*this); }

void socket_listener::on_accepted(int outcome) {
  if (outcome >= 0) return hand_over(socket_descriptor(owned_descriptor(outcome)));
  const monotonic_time again = home_.time().now() + limits::accept_pause;
  pause_ = home_.loop_of().schedule_at(again, [this] { open(); });
  user_->failed(network_error(-outcome, "accept connections on", address_));
}

void socket_listener::hand_over(socket_descriptor socket) {
  listener_user::answer taken = user_->accepted(socket_address::peer_of(socket.number()),
                                                socket_address::local_of(socket.number()));
  if (taken.user == nullptr) return;
  auto* target = dynamic_cast<socket_network*>(taken.home);
  CHECK(target != nullptr, "a connection is handed over to no network of sockets");
  if (target == &home_) return home_.adopt(std::move(socket), std::move(taken.user));
  target->loop_of().post(
      [target, socket = std::move(socket), user = std::move(taken.user)]() mutable {
        target->adopt(std::move(socket), std::move(user));
      });
}

void socket_listener::close() {
  if (closing_) return;
  closing_ = true;
  home_.loop_of().cancel(pause_);
  home_.driver().release(*this);
}

void socket_listener::on_released() {
  const std::unique_ptr<socket_listener> self = home_.forget(*this);
}

}  // namespace ringlog::io
