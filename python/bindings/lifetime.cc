#include "lifetime.h"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "callbacks.h"
#include "client/embedded_transport.h"
#include "node/node.h"
#include "structs.h"

namespace ringlog::python {
namespace {

constexpr milliseconds node_close_max{60'000};
constexpr milliseconds shutdown_close_max{10'000};

// Lives to the end of the process, so that late destructors find it.
struct open_things {
  std::mutex mutex;
  std::uint64_t last_id = 0;
  std::map<std::uint64_t, std::shared_ptr<std::function<void()>>> clients;  // by registration
  std::map<std::string, std::shared_ptr<node::node>> held;  // by open(), until close()
  std::vector<std::weak_ptr<client::transport>> let_go;     // alive while records are on their way
  std::atomic<bool> shut_down{false};
};

open_things& things() {
  static auto* made = new open_things;
  return *made;
}

// Failures to open are about the directory; the address says which.
std::shared_ptr<node::node> open_node(const std::string& address, const py::handle& config) {
  check_not_forked();
  if (things().shut_down) {
    raise_named("ClosedError", "the interpreter is ending: no log can be opened any more");
  }
  const model::config_map settings = to_config_map(config);
  return value_or_raise(without_gil([&] { return node::open(address, settings); }));
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
  auto opened = open_node(address, config);
  const std::lock_guard guard(things().mutex);
  things().held[address] = std::move(opened);
}

void close(const std::string& address) {
  check_not_forked();
  raise_if_failed(without_gil([&] {
    std::shared_ptr<node::node> held;
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
  const auto opened = open_node(address, py::dict());
  raise_if_failed(without_gil([&] { return opened->back_up(target); }));
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
    node::close_all(shutdown_close_max);
    stop_callbacks();
  });
}

}  // namespace

std::shared_ptr<client::transport> open_transport(const std::string& address,
                                                  const py::handle& broker_config) {
  return client::make_embedded_transport(open_node(address, broker_config));
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
