#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/socket_address.h"
#include "io/socket_network.h"
#include "node/engine_thread.h"
#include "node/node.h"
#include "server/server.h"

namespace ringlog::node {

struct listener {
  io::host_port where;                      // a name is looked up; each of its addresses
  std::optional<io::host_port> advertised;  // what clients are told; none: the host listened on
};

// Whether that host means all addresses of this machine, so that nobody can connect to it.
inline bool is_wildcard(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

struct serving_options {
  std::vector<listener> listeners;
  std::optional<io::host_port> http;  // where metrics can be read; none: nowhere
  // More than one: so many brokers for clients to see, each on a port of its own, from that of the
  // one listener on (server/presented_nodes.h). Not on a log directory of Kafka's.
  std::size_t nodes = 1;
  std::size_t network_threads = 0;  // 0: as num.network.threads says
};

// An open node on the network, under Kafka's protocol: a server on network threads of its own.
// Settings of the node that count: those of server_limits, and num.network.threads (when it is not
// set: as many as there are cores, at most limits::network_threads_max).
//
// Used by one thread. close() it before the node is closed, so that requests under way are
// answered.
class serving {
 public:
  // Listens on everything asked for, or fails and listens on nothing. Blocks for the look-up.
  static result<std::unique_ptr<serving>> start(std::shared_ptr<node> opened,
                                                const serving_options& options);

  // The same for a node that outlives it.
  static result<std::unique_ptr<serving>> start(node& opened, const serving_options& options);

  // As close() without waiting.
  ~serving();

  // What is listened on, with the ports that were chosen where 0 was asked for.
  const std::vector<io::socket_address>& addresses() const { return addresses_; }

  // Of the HTTP endpoint.
  const std::vector<io::socket_address>& http_addresses() const { return http_addresses_; }

  // For what it counts, and to hand it connections.
  server::server& server() { return *server_; }

  // Listens no more, lets requests under way end for at most so long, closes all connections, and
  // ends the threads. Once.
  void close(milliseconds drain_max);

 private:
  struct network_thread;

  serving(node& opened, std::size_t node_count);

  result<std::unique_ptr<network_thread>> make_thread() const;
  status make_threads(std::size_t count);
  status check_nodes(const serving_options& options) const;
  status listen(const listener& wanted, std::size_t node);
  status listen_for_http(const io::host_port& wanted);
  status listen_on(const io::socket_address& where, std::size_t node,
                   server::advertised_address told);

  std::shared_ptr<node> kept_;
  node& node_;
  const std::size_t node_count_;  // for clients to see
  std::vector<std::unique_ptr<network_thread>> threads_;
  std::unique_ptr<server::server> server_;
  std::unique_ptr<server::http_home> http_;
  std::unique_ptr<network_thread> http_thread_;  // if there is an endpoint
  std::vector<io::socket_address> addresses_;
  std::vector<io::socket_address> http_addresses_;
  bool is_closed_ = false;
};

}  // namespace ringlog::node

namespace ringlog::limits {

inline constexpr std::size_t presented_nodes_max = 64;

}  // namespace ringlog::limits
