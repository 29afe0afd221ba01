#include "io/socket_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/parse.h"

namespace ringlog::io {
namespace {

constexpr std::string_view unix_prefix = "unix:";

error not_an_address(std::string_view text) {
  return make_error(error_code::invalid_argument,
                    "'{}' is no address: write 127.0.0.1:9092, [::1]:9092 or unix:PATH", text);
}

error_code code_of(int errno_value) {
  switch (errno_value) {
    case EADDRINUSE:
    case EEXIST:
      return error_code::already_exists;
    case EADDRNOTAVAIL:
    case ECONNREFUSED:
    case ENOENT:
      return error_code::not_found;
    case EACCES:
    case EPERM:
      return error_code::permission_denied;
    case ETIMEDOUT:
      return error_code::timed_out;
    case ECONNRESET:
    case EPIPE:
      return error_code::closed;
    case EAFNOSUPPORT:
      return error_code::unsupported;
    default:
      return error_code::io_error;
  }
}

std::string_view remedy_of(int errno_value, const socket_address& where) {
  switch (errno_value) {
    case EADDRINUSE:
      return where.is_unix() ? "remove that file if no process listens on it"
                             : "find who listens there (ss -ltnp), or choose another port";
    case EADDRNOTAVAIL:
      return "this machine has no such address: see `ip address`";
    case ECONNREFUSED:
    case ENOENT:
      return "nobody listens there: is the server running, and is the address right?";
    case EACCES:
    case EPERM:
      return where.is_unix() ? "check the owner and permissions of the path (ls -l)"
                             : "ports below 1024 need rights: choose a higher one, or check the "
                               "firewall";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "there is no way to that machine: check the address and the routes (ip route)";
    case EMFILE:
      return "raise the limit of open files of this process (ulimit -n)";
    case ENFILE:
      return "raise the system's limit of open files (sysctl fs.file-max)";
    case ENAMETOOLONG:
      return "the last part of the path is too long for a socket: choose a shorter one";
    default:
      return "";
  }
}

}  // namespace

error network_error(int errno_value, std::string_view what, const socket_address& where) {
  const std::string_view remedy = remedy_of(errno_value, where);
  return make_error(code_of(errno_value), "cannot {} {}: {}{}{}", what, where.text(),
                    std::strerror(errno_value), remedy.empty() ? "" : "; ", remedy);
}

result<socket_address> socket_address::parse(std::string_view text) {
  if (text.starts_with(unix_prefix) && text.size() > unix_prefix.size()) {
    return of_path(std::string(text.substr(unix_prefix.size())));
  }
  const auto named = host_port::parse(text);
  if (!named.ok() || named->host.empty()) return not_an_address(text);
  return of_host(named->host, named->port);
}

result<host_port> host_port::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto not_one = [&] {
    return make_error(error_code::invalid_argument,
                      "'{}' is no HOST:PORT: write localhost:9092 or [::1]:9092", text);
  };
  if (colon == std::string_view::npos) return not_one();
  std::string_view host = text.substr(0, colon);
  const auto port = parse_integer<std::uint16_t>(text.substr(colon + 1));
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (!port || bracketed != has_colon) return not_one();
  if (bracketed) host = host.substr(1, host.size() - 2);
  return host_port{std::string(host), *port};
}

result<std::vector<socket_address>> socket_address::ask_system(const host_port& named, int flags) {
  addrinfo wanted{};
  wanted.ai_flags = flags;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const char* host = named.host.empty() ? nullptr : named.host.c_str();
  const int outcome = ::getaddrinfo(host, host == nullptr ? "0" : nullptr, &wanted, &found);
  if (outcome != 0) return make_error(error_code::not_found, "{}", ::gai_strerror(outcome));
  std::vector<socket_address> all;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    sockaddr_storage storage{};
    std::memcpy(&storage, one->ai_addr, one->ai_addrlen);
    socket_address made = from_system(storage);
    made.port_ = named.port;
    if (std::ranges::find(all, made) == all.end()) all.push_back(std::move(made));
  }
  ::freeaddrinfo(found);
  return all;
}

result<socket_address> socket_address::of_host(const std::string& numeric_host,
                                               std::uint16_t port) {
  const auto found = ask_system({numeric_host, port}, AI_NUMERICHOST);  // no look-up
  if (numeric_host.empty() || !found.ok() || found->empty()) {
    return make_error(error_code::invalid_argument,
                      "'{}' is no numeric address: write one such as 127.0.0.1 or ::1",
                      numeric_host);
  }
  return found->front();
}

result<std::vector<socket_address>> socket_address::look_up(const host_port& named) {
  auto found = ask_system(named, AI_PASSIVE);
  if (found.ok()) return found;
  return make_error(error_code::not_found, "cannot find the machine '{}': {}; is the name right?",
                    named.host, found.failure().message);
}

socket_address socket_address::of_path(std::string path) {
  socket_address made;
  made.family_ = AF_UNIX;
  made.path_ = std::move(path);
  return made;
}

socket_address socket_address::from_system(const sockaddr_storage& storage) {
  socket_address made;
  if (storage.ss_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, &storage, sizeof(address));
    std::memcpy(&made.ip_, &address.sin_addr, sizeof(address.sin_addr));
    made.port_ = ntohs(address.sin_port);
    made.family_ = AF_INET;
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address;
    std::memcpy(&address, &storage, sizeof(address));
    made.port_ = ntohs(address.sin6_port);
    made.family_ = AF_INET6;
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
      std::memcpy(&made.ip_, &address.sin6_addr.s6_addr[12], sizeof(in_addr));
      made.family_ = AF_INET;
    } else {
      made.ip_ = address.sin6_addr;
      made.scope_ = address.sin6_scope_id;
    }
  } else if (storage.ss_family == AF_UNIX) {
    sockaddr_un address;
    std::memcpy(&address, &storage, sizeof(address));
    const std::string_view path(address.sun_path,
                                ::strnlen(address.sun_path, sizeof(address.sun_path)));
    if (!path.empty()) return of_path(std::string(path));
  }
  return made;
}

socket_address socket_address::local_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return from_system(storage);
}

socket_address socket_address::peer_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return from_system(storage);
}

std::string socket_address::host() const {
  if (family_ != AF_INET && family_ != AF_INET6) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family_, &ip_, text.data(), text.size());
  return scope_ == 0 ? text.data() : fmt::format("{}%{}", text.data(), scope_);
}

std::string socket_address::text() const {
  switch (family_) {
    case AF_INET:
      return fmt::format("{}:{}", host(), port_);
    case AF_INET6:
      return fmt::format("[{}]:{}", host(), port_);
    case AF_UNIX:
      return fmt::format("{}{}", unix_prefix, path_);
    default:
      return "a local process";
  }
}

bool socket_address::operator==(const socket_address& other) const {
  return family_ == other.family_ && port_ == other.port_ && scope_ == other.scope_ &&
         std::memcmp(&ip_, &other.ip_, sizeof(ip_)) == 0 && path_ == other.path_;
}

result<socket_address::system_form> socket_address::to_system() const {
  system_form made;
  made.storage.ss_family = static_cast<sa_family_t>(family_);
  if (family_ == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    std::memcpy(&address.sin_addr, &ip_, sizeof(address.sin_addr));
    std::memcpy(&made.storage, &address, sizeof(address));
    made.size = sizeof(address);
  } else if (family_ == AF_INET6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port_);
    address.sin6_addr = ip_;
    address.sin6_scope_id = scope_;
    std::memcpy(&made.storage, &address, sizeof(address));
    made.size = sizeof(address);
  } else if (family_ == AF_UNIX) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string path = path_;
    if (path.size() >= sizeof(address.sun_path)) {
      const std::size_t slash = path.rfind('/');
      if (slash == std::string::npos) return network_error(ENAMETOOLONG, "use", *this);
      const std::string directory = path.substr(0, slash + 1);
      made.directory = owned_descriptor(::open(directory.c_str(), O_PATH | O_CLOEXEC));
      if (!made.directory.is_open()) return error_from_errno(errno, "open", directory);
      path = fmt::format("/proc/self/fd/{}/{}", made.directory.number(), path.substr(slash + 1));
    }
    if (path.size() >= sizeof(address.sun_path)) return network_error(ENAMETOOLONG, "use", *this);
    std::memcpy(address.sun_path, path.data(), path.size());
    std::memcpy(&made.storage, &address, sizeof(address));
    made.size = sizeof(address);
  } else {
    return make_error(error_code::invalid_argument, "an address of no family cannot be used");
  }
  return made;
}

}  // namespace ringlog::io
