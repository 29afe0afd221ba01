#include "node/serving.h"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "base/parse.h"
#include "io/make_engine.h"

namespace ringlog::node {
namespace {

constexpr std::string_view why_closed = "the server ends";

// Effective broker settings by name.
class settings {
 public:
  static result<settings> of(broker::broker& core) {
    const std::string id = fmt::format("{}", core.describe_cluster().node);
    settings made;
    TRY_ASSIGN(made.entries_, core.describe_configs({broker::resource_type::broker, id}));
    return made;
  }

  std::int64_t number(std::string_view name) const {
    return parse_integer<std::int64_t>(entry(name).value.value_or("")).value_or(0);
  }
  bool is_set(std::string_view name) const {
    return entry(name).source != broker::config_source::default_config;
  }

 private:
  const broker::config_entry& entry(std::string_view name) const {
    const auto found = std::ranges::find(entries_, name, &broker::config_entry::name);
    CHECK(found != entries_.end(), "no broker config has this name", name);
    return *found;
  }

  std::vector<broker::config_entry> entries_;
};

server::server_limits limits_of(const settings& given) {
  server::server_limits made;
  made.frame_bytes_max = given.number("socket.request.max.bytes");
  made.connections_max = given.number("max.connections");
  made.connections_per_address_max = given.number("max.connections.per.ip");
  made.fetch_bytes_max = given.number("fetch.max.bytes");
  made.fetch_sessions_max = given.number("max.incremental.fetch.session.cache.slots");
  const std::int64_t request_bytes = given.number("queued.max.request.bytes");
  if (request_bytes > 0) made.request_bytes_max = request_bytes;
  const std::int64_t idle_ms = given.number("connections.max.idle.ms");
  made.idle_max = idle_ms > 0 ? milliseconds(idle_ms) : server::server_limits::never;
  return made;
}

std::size_t threads_of(const settings& given) {
  if (given.is_set("num.network.threads")) {
    return static_cast<std::size_t>(given.number("num.network.threads"));
  }
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                 limits::network_threads_max);
}

// Of several addresses of one name some may be of a kind that this machine does not have.
template <typename T>
bool is_missing_here(const result<T>& outcome) {
  return !outcome.ok() &&
         (outcome.code() == error_code::not_found || outcome.code() == error_code::unsupported);
}

}  // namespace

struct serving::network_thread {
  network_thread(std::unique_ptr<io::loop> made, const clock& time)
      : loop(std::move(made)), network(*loop, time) {}

  const std::unique_ptr<io::loop> loop;
  io::socket_network network;
  engine_thread thread;
};

serving::serving(node& opened, std::size_t node_count) : node_(opened), node_count_(node_count) {}

serving::~serving() { close(milliseconds(0)); }

result<std::unique_ptr<serving>> serving::start(std::shared_ptr<node> opened,
                                                const serving_options& options) {
  TRY_ASSIGN(auto made, start(*opened, options));
  made->kept_ = std::move(opened);
  return made;
}

result<std::unique_ptr<serving>> serving::start(node& opened, const serving_options& options) {
  std::unique_ptr<serving> made(new serving(opened, options.nodes));
  TRY(made->check_nodes(options));
  TRY_ASSIGN(const settings given, settings::of(opened.broker()));
  const std::size_t threads = options.network_threads;
  TRY(made->make_threads(threads > 0 ? threads : threads_of(given)));
  std::vector<server::server::place> places;
  for (const auto& one : made->threads_) places.push_back({one->loop.get(), &one->network});
  made->server_ = std::make_unique<server::server>(
      opened.broker(), options.nodes, opened.engine(), opened.time(), opened.random(),
      opened.log(logger_names::server), limits_of(given), places);
  for (const listener& one : options.listeners) {
    for (std::size_t node = 0; node < options.nodes; ++node) TRY(made->listen(one, node));
  }
  if (options.http) TRY(made->listen_for_http(*options.http));
  return made;
}

result<std::unique_ptr<serving::network_thread>> serving::make_thread() const {
  TRY_ASSIGN(const io::engine_choice choice, io::engine_choice_from_environment());
  TRY_ASSIGN(auto loop, io::make_engine(choice, node_.time(), node_.log(logger_names::server)));
  auto made = std::make_unique<network_thread>(std::move(loop), node_.time());
  made->thread.start(*made->loop, "ringlog-network");
  return made;
}

status serving::make_threads(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    TRY_ASSIGN(threads_.emplace_back(), make_thread());
  }
  return {};
}

status serving::listen_for_http(const io::host_port& wanted) {
  TRY_ASSIGN(http_thread_, make_thread());
  http_ = server_->make_http_home(*http_thread_->loop, http_thread_->network);
  TRY_ASSIGN(const auto found, io::socket_address::look_up(wanted));
  status outcome;
  for (const io::socket_address& where : found) {
    auto answered = std::make_shared<std::promise<result<io::socket_address>>>();
    auto answer = answered->get_future();
    http_->listen(where, [answered](result<io::socket_address> bound) {
      answered->set_value(std::move(bound));
    });
    auto bound = answer.get();
    if (bound.ok()) {
      http_addresses_.push_back(std::move(*bound));
    } else if (is_missing_here(bound)) {
      outcome = std::move(bound.failure());
    } else {
      return std::move(bound.failure());
    }
  }
  return http_addresses_.empty() ? outcome : status();
}

status serving::check_nodes(const serving_options& options) const {
  if (options.nodes == 1) return {};
  if (options.nodes < 1 || options.nodes > limits::presented_nodes_max) {
    return make_error(error_code::invalid_argument, "{} nodes: 1 to {} can be shown to clients",
                      options.nodes, limits::presented_nodes_max);
  }
  if (options.listeners.size() != 1) {
    return make_error(error_code::invalid_argument,
                      "several nodes listen from the port of one listener on, not of {}",
                      options.listeners.size());
  }
  const std::string directory = node_.broker().describe_cluster().log_directory;
  if (node_.address() != "file:" + directory) return {};
  return make_error(error_code::unsupported,
                    "{} is a log directory of Kafka's, opened in place: serve it as the one node "
                    "that it is",
                    directory);
}

// Clients are told the name that was listened on; of all addresses, the one that they came by. The
// ports of further nodes follow those of the first.
status serving::listen(const listener& wanted, std::size_t node) {
  const auto port_of = [node](std::uint16_t first) {
    return static_cast<std::uint16_t>(first == 0 ? 0 : first + node);
  };
  io::host_port place = wanted.where;
  place.port = port_of(place.port);
  TRY_ASSIGN(auto found, io::socket_address::look_up(place));
  // A free port is one of one address.
  if (node_count_ > 1 && place.port == 0) found.erase(found.begin() + 1, found.end());
  const io::host_port by_itself{is_wildcard(place.host) ? "" : place.host, 0};
  const io::host_port told = wanted.advertised.value_or(by_itself);
  status missing;
  bool listens = false;
  for (const io::socket_address& where : found) {
    status outcome = listen_on(where, node, {told.host, port_of(told.port)});
    if (is_missing_here(outcome)) {
      missing = std::move(outcome);
      continue;
    }
    TRY(std::move(outcome));
    listens = true;
  }
  return listens ? status() : missing;
}

status serving::listen_on(const io::socket_address& where, std::size_t node,
                          server::advertised_address told) {
  auto answered = std::make_shared<std::promise<result<io::socket_address>>>();
  auto answer = answered->get_future();
  server_->listen(where, node, std::move(told), [answered](result<io::socket_address> outcome) {
    answered->set_value(std::move(outcome));
  });
  TRY_ASSIGN(io::socket_address bound, answer.get());
  addresses_.push_back(std::move(bound));
  return {};
}

void serving::close(milliseconds drain_max) {
  if (std::exchange(is_closed_, true)) return;
  if (server_ != nullptr) {
    server_->drain();
    const monotonic_time end = node_.time().now() + drain_max;
    while (server_->connection_count() > 0 && node_.time().now() < end) {
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  std::vector<network_thread*> all;
  for (const auto& one : threads_) all.push_back(one.get());
  if (http_thread_ != nullptr) all.push_back(http_thread_.get());
  for (network_thread* one : all) {
    one->loop->post([&network = one->network] {
      network.close_all(make_error(error_code::closed, "{}", why_closed));
    });
  }
  for (network_thread* one : all) one->thread.stop();
}

}  // namespace ringlog::node
