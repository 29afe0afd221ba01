#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "io/socket_address.h"

// Streams of bytes between processes: TCP and Unix sockets. Production: io/socket_network.h, over
// either engine. All of it belongs to one engine and is used on that engine's thread only; all
// calls of users come from its loop, one after another, never inside a call of theirs.
namespace ringlog::io {

// One open connection. Owned by its network: valid from connection_user::opened() until
// connection_user::closed() has returned.
class connection {
 public:
  // Sends the parts after all that was sent before, gathering what is there into few system calls.
  // The bytes do not change and their owners are kept until the kernel has them. Nobody but the
  // caller bounds what waits: ask unsent_bytes(). After close() it does nothing.
  virtual void send(std::vector<shared_bytes> parts) = 0;

  // What the kernel has not taken yet.
  virtual std::size_t unsent_bytes() const = 0;

  // No received() and no peer_ended() until resume(): the peer is held by the kernel's buffers.
  // What the engine had taken by then is kept, at most all its receive buffers. In that time the
  // peer's going away shows only when something is sent. Both may be called twice.
  virtual void pause() = 0;
  virtual void resume() = 0;

  // Sends what is unsent, then says that no more will come; nothing may be sent from here on. When
  // the peer has said that too, the connection closes with error_code::closed.
  virtual void end_sending() = 0;

  // Closes: what is unsent is dropped, what the kernel has is still sent. closed() comes soon, with
  // the cause of the first call.
  virtual void close(error cause) = 0;

  // Closes so that the peer gets an error (TCP's RST) and the kernel drops what it has.
  virtual void reset(error cause) = 0;

  virtual const socket_address& peer() const = 0;

  // Of a Unix socket: who connected or listened (SO_PEERCRED).
  virtual result<int> peer_process() const = 0;

 protected:
  ~connection() = default;
};

// Who hears of one connection. Owned by the connection, dies after closed().
class connection_user {
 public:
  virtual ~connection_user() = default;

  // Once, first. Not when a connect failed.
  virtual void opened(connection& mine) = 0;

  // The bytes are the engine's, for this call.
  virtual void received(bytes_view bytes) = 0;

  // The peer sends no more; it may still receive. From here on its going away shows only when
  // something is sent.
  virtual void peer_ended() = 0;

  // unsent_bytes() has become less.
  virtual void sent() {}

  // Once, last; the reason of the end, or why there never was a connection.
  virtual void closed(const error& cause) = 0;
};

class network;

// Who takes what a listener accepts. Owned by the listener, dies after its close().
class listener_user {
 public:
  virtual ~listener_user() = default;

  // Where the connection is to live, and its user, who is called on that network's thread only. No
  // user: it is closed at once. `local` is the address that the peer has connected to, which a
  // listener of all addresses does not know by itself.
  struct answer {
    network* home = nullptr;
    std::unique_ptr<connection_user> user;
  };
  virtual answer accepted(const socket_address& peer, const socket_address& local) = 0;

  // Accepting failed and goes on after limits::accept_pause; connections wait in the kernel.
  virtual void failed(const error& cause) = 0;
};

// Owned by its network: valid until close().
class listener {
 public:
  // With the port that the system chose, where 0 was asked for.
  virtual const socket_address& address() const = 0;

  // Nothing is accepted from here on. A Unix socket's file stays.
  virtual void close() = 0;

 protected:
  ~listener() = default;
};

struct socket_options {
  int send_buffer_bytes = 0;     // 0: the system's, which grows as needed
  int receive_buffer_bytes = 0;  // likewise
};

// One engine's connections and listeners. Several engines share a port by one listener that deals
// out what it accepts: its user names the network where a connection is to live. Not by
// SO_REUSEPORT: with it a second server on the same port would start without an error and take half
// of the connections, the kernel's choice by a hash leaves threads idle when connections are few,
// and Unix sockets do not have it. The hand-over costs one post in the life of a connection.
//
// A loop ends its run() only when all of it is closed: call close_all() before stop().
class network {
 public:
  virtual ~network() = default;

  // Fails with address and cause. On "::" IPv4 is accepted too.
  virtual result<listener*> listen(const socket_address& where, std::unique_ptr<listener_user> user,
                                   const socket_options& options = {}) = 0;

  // The user's first call is opened(), or closed() when nobody answered until the deadline.
  virtual void connect(const socket_address& where, monotonic_time deadline,
                       std::unique_ptr<connection_user> user,
                       const socket_options& options = {}) = 0;

  // Closes all listeners and connections, and from here on whatever comes.
  virtual void close_all(const error& cause) = 0;

  virtual std::size_t connection_count() const = 0;
};

}  // namespace ringlog::io
