#pragma once

#include "io/network.h"
#include "io/socket_descriptor.h"

namespace ringlog::io {

// A stream socket, close-on-exec, with buffers of the sizes asked for; none with errno set.
socket_descriptor make_socket(int family, const socket_options& options);

// For both ends of a connection: small messages go out at once (TCP_NODELAY), and a peer that
// vanished is noticed in the end (SO_KEEPALIVE, as Kafka's brokers set it).
void set_up_stream(int descriptor, const socket_address& peer);

// What the system refuses to set stays as it is.
void set_option(int descriptor, int level, int name, int value);

}  // namespace ringlog::io
