#include "server/server.h"

#include <utility>

#include "server/client_connection.h"

namespace ringlog::server {

// Of one listener: makes a client of each connection and picks its home, one after another.
class server::acceptor final : public io::listener_user {
 public:
  acceptor(server& owner, advertised_address advertised, broker::broker& asked)
      : owner_(owner), advertised_(std::move(advertised)), asked_(asked) {}

  answer accepted(const io::socket_address& peer, const io::socket_address& local) override {
    if (!owner_.shared_->connections.add(peer.host())) {
      owner_.shared_->sink.log(log_level::warning,
                               "a connection from {} is refused: max.connections={} or "
                               "max.connections.per.ip={} is reached",
                               peer.text(), owner_.shared_->limits.connections_max,
                               owner_.shared_->limits.connections_per_address_max);
      return {};
    }
    connection_home& home = *owner_.homes_[next_++ % owner_.homes_.size()];
    const advertised_address told{advertised_.host.empty() ? local.host() : advertised_.host,
                                  advertised_.port == 0 ? local.port() : advertised_.port};
    return {&home.network(), std::make_unique<client_connection>(home, peer, told, asked_)};
  }

  void failed(const error& cause) override {
    owner_.shared_->sink.write(log_level::warning, cause.message);
  }

 private:
  server& owner_;
  const advertised_address advertised_;
  broker::broker& asked_;
  std::size_t next_ = 0;
};

server::server(broker::broker& core, std::size_t node_count, executor& engine, const clock& time,
               random_source& random, log_sink& sink, const server_limits& limits,
               const std::vector<place>& places)
    : shared_(
          std::make_shared<shared_state>(core, node_count, engine, time, random, sink, limits)) {
  for (const place& one : places) {
    homes_.push_back(std::make_unique<connection_home>(*one.loop, *one.network, shared_));
  }
}

void server::listen(const io::socket_address& where, std::size_t node,
                    advertised_address advertised,
                    callback<void(result<io::socket_address>)> done) {
  connection_home& first = *homes_.front();
  first.loop().post(
      [this, &first, where, node, told = std::move(advertised), done = std::move(done)]() mutable {
        presented_nodes* const nodes = shared_->nodes.get();
        broker::broker& asked = nodes == nullptr ? shared_->core : nodes->broker_of(node);
        auto made = first.network().listen(where, std::make_unique<acceptor>(*this, told, asked));
        if (!made.ok()) return done(std::move(made.failure()));
        listeners_.push_back(*made);
        const io::socket_address& bound = (*made)->address();
        if (told.port == 0) told.port = bound.port();
        if (nodes != nullptr) nodes->set_address(node, std::move(told));
        done(bound);
      });
}

std::unique_ptr<io::listener_user> server::make_acceptor(advertised_address advertised) {
  return std::make_unique<acceptor>(*this, std::move(advertised), shared_->core);
}

std::unique_ptr<http_home> server::make_http_home(io::loop& loop, io::network& network) const {
  shared_->telemetry.turn_on();
  return std::make_unique<http_home>(loop, network, shared_);
}

void server::drain() {
  connection_home& first = *homes_.front();
  first.loop().post([this] {
    for (io::listener* one : std::exchange(listeners_, {})) one->close();
  });
  for (const auto& home : homes_) home->loop().post([&home = *home] { home.drain(); });
}

}  // namespace ringlog::server
