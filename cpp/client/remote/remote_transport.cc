#include "client/remote/remote_transport.h"

#include <utility>

#include "client/remote/remote_service.h"

namespace ringlog::client::remote {
namespace {

class remote_transport final : public transport {
 public:
  remote_transport(std::shared_ptr<network_thread> thread, remote_options options)
      : thread_(std::move(thread)), broker_(thread_, std::move(options)) {}

  remote_service& broker() override { return broker_; }
  executor& engine() override { return thread_->loop(); }
  const clock& time() const override { return thread_->time(); }
  random_source& random() override { return thread_->random(); }
  log_sink& log() override { return thread_->log(); }
  status check_usable() const override { return thread_->check_usable(); }
  std::string trouble() const override { return broker_.trouble(); }

 private:
  const std::shared_ptr<network_thread> thread_;
  remote_service broker_;
};

}  // namespace

result<std::shared_ptr<transport>> connect(remote_options options, const wait_limit& limit) {
  TRY_ASSIGN(auto thread, network_thread::shared());
  auto made = std::make_shared<remote_transport>(std::move(thread), std::move(options));
  auto known = ask<std::monostate>(*made, limit, "the first answer of a bootstrap server",
                                   [&](auto reply) { made->broker().bootstrap(std::move(reply)); });
  if (known.ok()) return std::shared_ptr<transport>(std::move(made));
  if (known.code() == error_code::timed_out) known.failure().code = nobody_there;
  return std::move(known.failure());
}

void end_network(milliseconds wait_max) { network_thread::end_shared(wait_max); }

}  // namespace ringlog::client::remote
