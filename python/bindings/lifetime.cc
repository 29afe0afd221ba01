#include "lifetime.h"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "callbacks.h"
#include "client/open_log.h"
#include "client/remote/kafka_codes.h"
#include "client/remote/remote_transport.h"
#include "node/node.h"
#include "structs.h"

namespace ringlog::python {
namespace {

constexpr milliseconds node_close_max{60'000};
constexpr milliseconds shutdown_close_max{10'000};
constexpr milliseconds shutdown_network_max{2'000};

// Lives to the end of the process, so that late destructors find it.
struct open_things {
  std::mutex mutex;
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, std::shared_ptr<std::function<void()>>> clients;  // by registration
  std::map<std::string, std::shared_ptr<client::transport>> held;  // by open(), until close()
  std::vector<std::weak_ptr<client::transport>> let_go;  // alive while records are on their way
  std::atomic<bool> shut_down{false};
};

open_things& things() {
  static auto* made = new open_things;
  return *made;
}

void check_may_open() {
  check_not_forked();
  if (things().shut_down) {
    raise_named("ClosedError", "the interpreter is ending: no log can be opened any more");
  }
}

client::remote::remote_options read_network_options(const py::dict& given) {
  client::remote::remote_options options;
  for (const py::handle each : given["hosts"]) {
    const auto server = each.cast<py::tuple>();
    options.bootstrap_servers.push_back(
        {server[0].cast<std::string>(), server[1].cast<std::uint16_t>()});
  }
  const auto take = [&](auto& target, const char* name) {
    target = option<std::remove_reference_t<decltype(target)>>(given, name);
  };
  take(options.client_id, "client_id");
  take(options.request_timeout_ms, "request_timeout_ms");
  take(options.default_api_timeout_ms, "default_api_timeout_ms");
  take(options.retry_backoff_ms, "retry_backoff_ms");
  take(options.reconnect_backoff_ms, "reconnect_backoff_ms");
  take(options.reconnect_backoff_max_ms, "reconnect_backoff_max_ms");
  take(options.metadata_max_age_ms, "metadata_max_age_ms");
  take(options.connections_max_idle_ms, "connections_max_idle_ms");
  take(options.socket_connection_setup_timeout_ms, "socket_connection_setup_timeout_ms");
  take(options.receive_message_max_bytes, "receive_message_max_bytes");
  take(options.max_request_size, "max_request_size");
  take(options.max_in_flight_requests_per_connection, "max_in_flight_requests_per_connection");
  take(options.send_buffer_bytes, "send_buffer_bytes");
  take(options.receive_buffer_bytes, "receive_buffer_bytes");
  take(options.enable_incremental_fetch_sessions, "enable_incremental_fetch_sessions");
  return options;
}

// Failures to open are about the directory, those to connect about who was asked; they say which.
std::shared_ptr<client::transport> value_or_raise_of(
    result<std::shared_ptr<client::transport>> opened) {
  if (!opened.ok() && opened.code() == client::remote::nobody_there) {
    raise_named("BootstrapError", opened.failure().message);
  }
  return value_or_raise(std::move(opened));
}

client::wait_limit limit_of(const py::dict& given, const char* timeout) {
  return client::wait_limit::after(milliseconds(option<std::int64_t>(given, timeout)),
                                   &check_signals());
}

std::shared_ptr<client::transport> open_log(const std::string& address, const py::handle& config,
                                            client::remote::remote_options options,
                                            const client::wait_limit& limit) {
  check_may_open();
  const model::config_map settings = to_config_map(config);
  return value_or_raise_of(
      without_gil([&] { return client::open_log(address, settings, std::move(options), limit); }));
}

std::shared_ptr<client::transport> connect(const py::dict& given) {
  check_may_open();
  auto options = read_network_options(given);
  const auto limit = limit_of(given, "bootstrap_timeout_ms");
  return value_or_raise_of(
      without_gil([&] { return client::remote::connect(std::move(options), limit); }));
}

// Without the GIL.
void wait_for_let_go() {
  constexpr milliseconds look_again{2};
  const auto limit = client::wait_limit::after(shutdown_flush_max);
  while (!limit.over()) {
    {
      const std::lock_guard guard(things().mutex);
      std::erase_if(things().let_go, [](const auto& over) { return over.expired(); });
      if (things().let_go.empty()) return;
    }
    std::this_thread::sleep_for(look_again);
  }
}

void open(const std::string& address, const py::dict& config) {
  client::remote::remote_options options;
  const auto limit =
      client::wait_limit::after(milliseconds(options.default_api_timeout_ms), &check_signals());
  auto opened = open_log(address, config, std::move(options), limit);
  const std::lock_guard guard(things().mutex);
  things().held[address] = std::move(opened);
}

void close(const std::string& address) {
  check_not_forked();
  raise_if_failed(without_gil([&] {
    std::shared_ptr<client::transport> held;
    {
      const std::lock_guard guard(things().mutex);
      if (const auto found = things().held.find(address); found != things().held.end()) {
        held = std::move(found->second);
        things().held.erase(found);
      }
    }
    wait_for_let_go();
    return node::close(address, node_close_max);
  }));
}

void back_up(const std::string& address, const std::string& target) {
  check_may_open();
  raise_if_failed(without_gil([&]() -> status {
    TRY_ASSIGN(const auto opened, node::open(address));
    return opened->back_up(target);
  }));
}

// Ends clients in the order of their registration, then logs, then the callback thread.
void shutdown() {
  if (in_forked_child() || things().shut_down.exchange(true)) return;
  without_gil([] {
    std::map<std::uint64_t, std::shared_ptr<std::function<void()>>> clients;
    {
      const std::lock_guard guard(things().mutex);
      clients = things().clients;
      things().held.clear();
    }
    for (const auto& [id, end] : clients) (*end)();
    clients.clear();
    wait_for_let_go();
    client::remote::end_network(shutdown_network_max);
    node::close_all(shutdown_close_max);
    stop_callbacks();
  });
}

}  // namespace

std::shared_ptr<client::transport> open_transport(const py::dict& options) {
  const auto network = options["network"].cast<py::dict>();
  if (py::len(network["hosts"]) > 0) return connect(network);
  return open_log(option<std::string>(options, "address"), options["broker_config"],
                  read_network_options(network), limit_of(network, "default_api_timeout_ms"));
}

std::vector<broker::topic_description> look_up_topics(client::transport& over,
                                                      std::optional<std::vector<std::string>> names,
                                                      const client::wait_limit& limit) {
  return value_or_raise(without_gil([&] {
    return client::ask<std::vector<broker::topic_description>>(
        over, limit, "the look-up of topics",
        [&](auto reply) { over.broker().look_up_topics(std::move(names), std::move(reply)); });
  }));
}

void let_go(std::weak_ptr<client::transport> over) {
  const std::lock_guard guard(things().mutex);
  std::erase_if(things().let_go, [](const auto& each) { return each.expired(); });
  things().let_go.push_back(std::move(over));
}

open_client::open_client(std::function<void()> end)
    : id_([&] {
        const std::lock_guard guard(things().mutex);
        const std::uint64_t id = ++things().last_id;
        things().clients[id] = std::make_shared<std::function<void()>>(std::move(end));
        return id;
      }()) {}

open_client::~open_client() {
  std::shared_ptr<std::function<void()>> end;  // destroyed outside the lock
  const std::lock_guard guard(things().mutex);
  const auto found = things().clients.find(id_);
  if (found == things().clients.end()) return;
  end = std::move(found->second);
  things().clients.erase(found);
}

void register_lifetime(py::module_& module) {
  module.def("open", &open);
  module.def("close", &close);
  module.def("back_up", &back_up);
  module.def("shutdown", &shutdown);
}

}  // namespace ringlog::python
