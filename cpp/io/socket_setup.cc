#include "io/socket_setup.h"

#include <netinet/tcp.h>

namespace ringlog::io {

void set_option(int descriptor, int level, int name, int value) {
  ::setsockopt(descriptor, level, name, &value, sizeof(value));
}

socket_descriptor make_socket(int family, const socket_options& options) {
  socket_descriptor made(owned_descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  if (!made.is_open()) return made;
  const auto [send_bytes, receive_bytes] = options;
  if (send_bytes > 0) set_option(made.number(), SOL_SOCKET, SO_SNDBUF, send_bytes);
  if (receive_bytes > 0) set_option(made.number(), SOL_SOCKET, SO_RCVBUF, receive_bytes);
  if (family == AF_INET6) set_option(made.number(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  return made;
}

void set_up_stream(int descriptor, const socket_address& peer) {
  if (peer.family() != AF_INET && peer.family() != AF_INET6) return;
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
}

}  // namespace ringlog::io
