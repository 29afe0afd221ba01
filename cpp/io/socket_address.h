#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/owned_descriptor.h"

namespace ringlog::io {

// A machine by name or numeric address, and a port of it: "localhost:9092", "[::1]:9092".
struct host_port {
  std::string host;  // without brackets; empty: all addresses of this machine
  std::uint16_t port = 0;

  static result<host_port> parse(std::string_view text);
};

// Where a socket listens or connects to: an IPv4 or IPv6 address with its port, or the path of a
// Unix socket. A value.
class socket_address {
 public:
  // Of no family: the other end of a Unix socket has no name.
  socket_address() = default;

  // "127.0.0.1:9092", "[::1]:9092" or "unix:PATH".
  static result<socket_address> parse(std::string_view text);

  static result<socket_address> of_host(const std::string& numeric_host, std::uint16_t port);
  static socket_address of_path(std::string path);

  // Of a name all its addresses, each once, in the system's order (RFC 6724). Blocks for as long as
  // the system's resolver does: for engine::run_blocking, or before anything waits.
  static result<std::vector<socket_address>> look_up(const host_port& named);

  // Of a connected or bound socket. An IPv4 address inside IPv6 is an IPv4 address.
  static socket_address local_of(int descriptor);
  static socket_address peer_of(int descriptor);

  // AF_INET, AF_INET6, AF_UNIX or AF_UNSPEC.
  int family() const { return family_; }
  bool is_unix() const { return family_ == AF_UNIX; }
  std::uint16_t port() const { return port_; }       // 0 of a Unix socket
  const std::string& path() const { return path_; }  // empty but of a Unix socket
  std::string host() const;                          // numeric, without brackets

  // As parse() takes it; "a local process" of no family.
  std::string text() const;

  bool operator==(const socket_address& other) const;

  // What the system's calls take.
  struct system_form {
    sockaddr_storage storage{};
    socklen_t size = 0;
    owned_descriptor directory;  // a long Unix path goes through it: keep it until after the call

    const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
  };
  result<system_form> to_system() const;

 private:
  static result<std::vector<socket_address>> ask_system(const host_port& named, int flags);
  static socket_address from_system(const sockaddr_storage& storage);

  int family_ = AF_UNSPEC;
  std::uint16_t port_ = 0;
  std::uint32_t scope_ = 0;  // the interface of a link-local IPv6 address
  in6_addr ip_{};            // of IPv4 the first four bytes
  std::string path_;
};

// For a failed call on a socket: "cannot WHAT ADDRESS: TEXT OF ERRNO; WHAT TO DO".
error network_error(int errno_value, std::string_view what, const socket_address& where);

}  // namespace ringlog::io
