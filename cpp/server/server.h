#pragma once

#include <memory>
#include <vector>

#include "server/advertised_address.h"
#include "server/connection_home.h"
#include "server/http/http_home.h"

namespace ringlog::server {

// Kafka's wire protocol over a broker's core: listens, and deals the connections out among the
// network threads that it is given. (Kafka: SocketServer, KafkaApis, ApiVersionManager.)
//
// Any thread calls it while the loops run. To end: drain(), wait as long as one likes for
// connection_count() to become 0, close_all() of the networks, stop the loops, destroy. The core
// may answer calls after that: nobody hears of them.
class server {
 public:
  struct place {
    io::loop* loop;
    io::network* network;
  };

  // The places outlive the server; there is at least one. `random` is used by any thread. The
  // engine is the core's: what may block is run by its post_aside(). Clients see as many nodes as
  // it says (presented_nodes.h).
  server(broker::broker& core, std::size_t node_count, executor& engine, const clock& time,
         random_source& random, log_sink& sink, const server_limits& limits,
         const std::vector<place>& places);

  // For clients of the node of that index. Calls back, on the first network thread, with the
  // address that is listened on.
  void listen(const io::socket_address& where, std::size_t node, advertised_address advertised,
              callback<void(result<io::socket_address>)> done);

  // For a listener of somebody else's network: what it accepts is dealt out as above. Dies before
  // this server.
  std::unique_ptr<io::listener_user> make_acceptor(advertised_address advertised);

  // Listens no more, begins no more requests, and closes each connection when what it has under way
  // is answered. Fetches that wait are answered at once.
  void drain();

  // The HTTP endpoint of this server, for a network thread that does nothing else. With it clients
  // are asked for what they measure.
  std::unique_ptr<http_home> make_http_home(io::loop& loop, io::network& network) const;

  std::int64_t connection_count() const { return shared_->connections.all(); }
  std::int64_t request_bytes() const { return shared_->requests.bytes(); }
  std::int64_t answer_bytes() const { return shared_->answer_bytes; }
  std::size_t fetch_session_count() const { return shared_->fetch_sessions.count(); }

 private:
  class acceptor;

  const std::shared_ptr<shared_state> shared_;
  std::vector<std::unique_ptr<connection_home>> homes_;
  std::vector<io::listener*> listeners_;  // on the first home's thread
};

}  // namespace ringlog::server
