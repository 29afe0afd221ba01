#pragma once

#include <cstddef>

#include "base/clock.h"
#include "base/limits.h"

// The limits of sockets, by name (those of all other things: base/limits.h).
namespace ringlog::limits {

// Received bytes lie in buffers of the engine until they are handed on: all its connections share
// them, so an idle one costs none. With io_uring the kernel picks one of many (a power of two);
// otherwise there is one.
inline constexpr std::size_t receive_buffer_bytes = 32 * KiB;
inline constexpr unsigned receive_buffers = 16;

// Of one ready connection, before the next one's turn.
inline constexpr int receives_per_turn = 4;
inline constexpr int accepts_per_turn = 64;

// Gathered by one system call. At most IOV_MAX, 1024.
inline constexpr std::size_t send_parts_max = 256;

// Connections that the kernel made and nobody took yet; it takes net.core.somaxconn if less.
inline constexpr int listen_backlog = 1024;

// A Unix socket whose queue is full is tried again so soon, until the deadline of the connect.
inline constexpr milliseconds connect_pause{10};

// A listener that failed, mostly for want of descriptors, waits so long before it goes on.
inline constexpr milliseconds accept_pause{100};

}  // namespace ringlog::limits
