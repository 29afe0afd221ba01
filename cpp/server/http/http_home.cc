#include "server/http/http_home.h"

#include <utility>
#include <vector>

#include "server/http/metrics_page.h"

namespace ringlog::server {

class http_home::acceptor final : public io::listener_user {
 public:
  explicit acceptor(http_home& owner) : owner_(owner) {}

  answer accepted(const io::socket_address&, const io::socket_address&) override {
    if (owner_.accepted_ >= limits::http_connections_max) return {};
    ++owner_.accepted_;
    return {&owner_.network_, std::make_unique<http_connection>(owner_)};
  }

  void failed(const error& cause) override {
    owner_.shared_->sink.write(log_level::warning, cause.message);
  }

 private:
  http_home& owner_;
};

http_home::http_home(io::loop& loop, io::network& network, std::shared_ptr<shared_state> shared)
    : loop_(loop), network_(network), shared_(std::move(shared)) {}

http_home::~http_home() = default;

void http_home::listen(const io::socket_address& where,
                       callback<void(result<io::socket_address>)> done) {
  loop_.post([this, where, done = std::move(done)]() mutable {
    auto made = network_.listen(where, std::make_unique<acceptor>(*this));
    if (!made.ok()) return done(std::move(made.failure()));
    done((*made)->address());
  });
}

void http_home::add(http_connection& opened) {
  open_.insert(&opened);
  if (sweep_ == 0) sweep_later();
}

void http_home::remove(http_connection& gone) {
  --accepted_;
  open_.erase(&gone);
  if (open_.empty() && sweep_ != 0) loop_.cancel(std::exchange(sweep_, 0));
}

void http_home::sweep_later() {
  sweep_ = loop_.schedule_at(time().now() + limits::http_sweep_interval, [this] {
    const std::vector<http_connection*> open(open_.begin(), open_.end());
    for (http_connection* one : open) one->check_idle(time().now());
    sweep_later();
  });
}

void http_home::answer(const http_request& request, callback<void(http_writer)> done) {
  if (request.path == "/metrics") return make_metrics_page(shared_, std::move(done));
  http_answer made;
  if (request.path != "/health") {
    made.status = 404;
    made.content = "there are /metrics and /health\n";
  } else if (const auto health = shared_->core.describe_health(); health.failure) {
    made.status = 503;
    made.content = health.failure->message + "\n";
  } else {
    made.content = "ok\n";
  }
  done([made = std::move(made)] { return made; });
}

}  // namespace ringlog::server
