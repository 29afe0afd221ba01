#include "client/remote/remote_transport.h"

#include <algorithm>
#include <utility>

#include "client/remote/log_owner.h"
#include "client/remote/remote_service.h"

namespace ringlog::client::remote {
namespace {

// Whoever waits for the next owner looks for it at least so often.
constexpr std::int64_t owner_backoff_ms_max = 200;

class remote_transport final : public transport {
 public:
  remote_transport(std::shared_ptr<network_thread> thread, remote_options options)
      : thread_(std::move(thread)), owner_(options.owner), broker_(thread_, std::move(options)) {}

  remote_service& broker() override { return broker_; }
  executor& engine() override { return thread_->loop(); }
  const clock& time() const override { return thread_->time(); }
  random_source& random() override { return thread_->random(); }
  log_sink& log() override { return thread_->log(); }
  status check_usable() const override {
    TRY(thread_->check_usable());
    return owner_ == nullptr ? status() : owner_->check_usable();
  }
  std::string trouble() const override {
    const std::string heard = broker_.trouble();
    if (owner_ == nullptr) return heard;
    return owner_->describe() + (heard.empty() ? "" : "; ") + heard;
  }

 private:
  const std::shared_ptr<network_thread> thread_;
  const std::shared_ptr<log_owner> owner_;
  remote_service broker_;
};

result<std::shared_ptr<transport>> bootstrap(std::shared_ptr<network_thread> thread,
                                             remote_options options, const wait_limit& limit) {
  auto made = std::make_shared<remote_transport>(std::move(thread), std::move(options));
  auto known = ask<std::monostate>(*made, limit, "the first answer of a bootstrap server",
                                   [&](auto reply) { made->broker().bootstrap(std::move(reply)); });
  if (known.ok()) return std::shared_ptr<transport>(std::move(made));
  if (known.code() == error_code::timed_out) known.failure().code = nobody_there;
  return std::move(known.failure());
}

// As node::open() compares them.
status check_settings(transport& over, const model::config_map& wanted, const wait_limit& limit) {
  if (wanted.empty()) return {};
  TRY_ASSIGN(const auto cluster,
             ask<described_cluster>(over, limit, "the look-up of the log's owner", [&](auto reply) {
               over.broker().look_up_cluster(std::move(reply));
             }));
  const broker::config_resource own{broker::resource_type::broker,
                                    fmt::format("{}", cluster.controller)};
  TRY_ASSIGN(const auto known, ask<std::vector<broker::config_entry>>(
                                   over, limit, "the look-up of its settings", [&](auto reply) {
                                     over.broker().look_up_configs(own, std::move(reply));
                                   }));
  for (const auto& [name, value] : wanted) {
    const auto found = std::ranges::find(known, name, &broker::config_entry::name);
    const std::string now = found == known.end() ? "" : found->value.value_or("");
    if (now == value) continue;
    return make_error(error_code::invalid_config,
                      "it is open with {}={}, not {}: leave the setting out, or let the process "
                      "that opens it first set it (all of them find it in server.properties)",
                      name, now, value);
  }
  return {};
}

}  // namespace

result<std::shared_ptr<transport>> connect(remote_options options, const wait_limit& limit) {
  TRY_ASSIGN(auto thread, network_thread::shared());
  return bootstrap(std::move(thread), std::move(options), limit);
}

result<std::shared_ptr<transport>> connect_to_owner(const node::log_address& address,
                                                    const model::config_map& settings,
                                                    remote_options options,
                                                    const wait_limit& limit) {
  TRY(node::check_setting_names(settings));
  TRY_ASSIGN(auto thread, network_thread::shared());
  TRY_ASSIGN(const auto owner, log_owner::of(address, settings, thread->time()));
  options.owner = owner;
  options.bootstrap_servers = {{}};
  options.reconnect_backoff_max_ms =
      std::min(options.reconnect_backoff_max_ms, owner_backoff_ms_max);
  callback<status()> interrupted = [&]() -> status {
    TRY(owner->check_sharing());
    return limit.interrupted != nullptr && *limit.interrupted ? (*limit.interrupted)() : status();
  };
  auto made = bootstrap(std::move(thread), std::move(options), {limit.deadline, &interrupted});
  if (!made.ok()) return std::move(made.failure()).with_context(address.text());
  status agreed = check_settings(**made, settings, limit);
  if (!agreed.ok()) {
    return std::move(agreed.failure())
        .with_context(fmt::format("{}: {}", address.text(), owner->describe()));
  }
  return made;
}

void end_network(milliseconds wait_max) { network_thread::end_shared(wait_max); }

}  // namespace ringlog::client::remote
