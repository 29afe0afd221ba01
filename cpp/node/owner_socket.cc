#include "node/owner_socket.h"

#include <future>
#include <utility>

#include "base/limits.h"

namespace ringlog::node {
namespace {

// A join that waits for others may take longer; it is asked again of the next owner.
constexpr milliseconds drain_max{500};

constexpr std::size_t name_digits = 16;
constexpr std::uint16_t no_port = 0;

// What owners that were killed between two steps have left.
status remove_leftovers(io::file_system& disk, const std::string& path) {
  const std::string directory = io::parent_of(path);
  TRY_ASSIGN(const auto entries, disk.list_names(directory));
  for (const io::directory_entry& entry : entries) {
    const std::string each = directory + "/" + entry.name;
    if (each.starts_with(path + ".")) TRY(disk.remove(each));
  }
  return {};
}

}  // namespace

class owner_socket::entrance final : public io::listener_user {
 public:
  explicit entrance(owner_socket& to) : to_(to) {}

  answer accepted(const io::socket_address& peer, const io::socket_address& local) override {
    if (to_.connections_ == nullptr) {
      const status started = to_.start_serving();
      if (!started.ok()) {
        failed(started.failure());
        return {};
      }
    }
    return to_.connections_->accepted(peer, local);
  }

  void failed(const error& cause) override {
    to_.node_.log(logger_names::node)
        .log(log_level::warning, "other processes cannot share {}: {}", to_.node_.address(),
             cause.message);
  }

 private:
  owner_socket& to_;
};

owner_socket::owner_socket(node& shared, io::loop& engine, io::file_system& disk, std::string path)
    : node_(shared),
      engine_(engine),
      disk_(disk),
      path_(std::move(path)),
      network_(engine, shared.time()) {}

owner_socket::~owner_socket() = default;

// Under a name of its own first: whoever connects by the known one reaches a socket that listens.
status owner_socket::open() {
  TRY(remove_leftovers(disk_, path_));
  const std::string made = fmt::format("{}.{:0{}x}", path_, node_.random().next(), name_digits);
  TRY(on_engine(milliseconds(limits::node_open_wait_ms_max), [this, made]() -> status {
    const auto listens =
        network_.listen(io::socket_address::of_path(made), std::make_unique<entrance>(*this));
    return listens.ok() ? status() : status(listens.failure());
  }));
  const status named = disk_.rename(made, path_);
  is_open_ = named.ok();
  if (!is_open_) static_cast<void>(disk_.remove(made));
  return named;
}

// Runs it on the engine's thread. Where nobody waits any more it is still run.
status owner_socket::on_engine(milliseconds wait_max, callback<status()> work) {
  const auto answered = std::make_shared<std::promise<status>>();
  std::future<status> answer = answered->get_future();
  engine_.post([work = std::move(work), answered]() mutable { answered->set_value(work()); });
  if (answer.wait_for(wait_max) == std::future_status::ready) return answer.get();
  return make_error(error_code::timed_out, "{}: its thread did not answer within {} ms",
                    node_.address(), wait_max.count());
}

// A port that clients could go to does not exist; the host is the one that clients in this process
// are told.
status owner_socket::start_serving() {
  TRY_ASSIGN(serving_, serving::start(node_, {.listeners = {}, .http = {}, .network_threads = 1}));
  connections_ =
      serving_->server().make_acceptor({node_.broker().describe_cluster().host, no_port});
  return {};
}

status owner_socket::close(milliseconds wait_max) {
  const status removed = is_open_ ? disk_.remove(path_) : status();
  if (!removed.ok()) {
    node_.log(logger_names::node).write(log_level::warning, removed.failure().message);
  }
  TRY(on_engine(wait_max, [this]() -> status {
    network_.close_all(make_error(error_code::closed, "the log is closed"));
    return {};
  }));
  if (serving_ != nullptr) serving_->close(drain_max);
  return {};
}

}  // namespace ringlog::node
