#include "node/open_node.h"

#include <future>

#include "base/limits.h"
#include "broker/own_configs.h"
#include "io/make_engine.h"
#include "io/memory_file_system.h"
#include "io/posix_file_system.h"
#include "node/fork_guard.h"
#include "storage/journal/journal_damage.h"

namespace ringlog::node {
namespace {

constexpr std::string_view lock_file = ".lock";

// Where a log in this process differs from Kafka's defaults. A server's group waits some seconds
// for the other members of a deployment that starts; here nobody wants to wait for that.
const model::config_map& embedded_defaults() {
  static const model::config_map defaults = {{"group.consumer.assignment.interval.ms", "0"},
                                             {"group.initial.rebalance.delay.ms", "0"}};
  return defaults;
}

// Starts an asynchronous call on the engine and waits for its answer. A call that answers after
// the wait was given up finds its promise still there.
template <typename Start>
status wait_for(executor& engine, milliseconds wait_max, std::string_view what, Start start) {
  auto answered = std::make_shared<std::promise<status>>();
  std::future<status> answer = answered->get_future();
  engine.post([start = std::move(start), answered]() mutable {
    start([answered](status outcome) { answered->set_value(std::move(outcome)); });
  });
  if (answer.wait_for(wait_max) != std::future_status::ready) {
    return make_error(error_code::timed_out, "{}: the disk did not answer within {} ms", what,
                      wait_max.count());
  }
  return answer.get();
}

struct place {
  std::unique_ptr<io::file_system> disk;
  std::string log_directory;
  std::string journal_directory;  // empty in memory
  std::string socket_path;        // likewise
  model::config_map settings;     // of the directory itself
};

result<place> find_place(const log_address& address, log_sink& sink) {
  place found;
  if (address.in_memory) {
    found.disk = std::make_unique<io::memory_file_system>();
    found.log_directory = "/log";
    TRY(found.disk->make_directories(found.log_directory));
    return found;
  }
  found.disk = std::make_unique<io::posix_file_system>();
  TRY_ASSIGN(const directory_layout layout, prepare_directory(*found.disk, address.name));
  TRY_ASSIGN(found.settings, read_server_properties(*found.disk, layout.top));
  found.log_directory = layout.log_directory;
  found.journal_directory = layout.journal_directory;
  found.socket_path = socket_path(layout);
  if (layout.is_kafka_log_directory) {
    sink.log(log_level::info, "{} is a Kafka log directory: opened in place", layout.top);
  }
  return found;
}

}  // namespace

open_node::open_node(const log_address& address, std::shared_ptr<logger_set> loggers)
    : loggers_(std::move(loggers)),
      sink_(loggers_->of(logger_names::node)),
      address_(address.text()),
      generation_(fork_generation()) {}

open_node::~open_node() { thread_.stop(); }

result<std::shared_ptr<open_node>> open_node::open(const log_address& address,
                                                   const model::config_map& settings,
                                                   std::shared_ptr<logger_set> loggers,
                                                   damaged_journal damaged) {
  std::shared_ptr<open_node> made(new open_node(address, std::move(loggers)));
  status started = made->start(address, settings, damaged);
  if (!started.ok()) return std::move(started.failure()).with_context(made->address_);
  return made;
}

status open_node::start(const log_address& address, const model::config_map& settings,
                        damaged_journal damaged) {
  TRY_ASSIGN(place where, find_place(address, sink_));
  core_options options{where.log_directory, where.journal_directory, settings};
  options.settings.merge(where.settings);  // what is given stands before what the directory says
  options.settings.merge(model::config_map(embedded_defaults()));
  options.takes_damaged_journal = damaged == damaged_journal::taken;
  options.loggers = loggers_;
  if (!address.in_memory) {
    own_configs_path_ = broker::own_configs::path_beside(where.journal_directory);
  }
  disk_ = std::move(where.disk);
  socket_path_ = std::move(where.socket_path);
  TRY_ASSIGN(const io::engine_choice choice, io::engine_choice_from_environment());
  TRY_ASSIGN(engine_, io::make_engine(choice, clock_, sink_));
  thread_.start(*engine_, "ringlog-engine");
  status started = start_core(*disk_, options);
  const bool may_be_damaged = !started.ok() && started.code() == error_code::corrupt;
  if (may_be_damaged && damaged == damaged_journal::read && !options.journal_directory.empty()) {
    core_.reset();
    const status reading = start_reading(std::move(options));
    if (reading.ok() || reading.code() == error_code::locked) return reading;
  }
  return started;
}

status open_node::start_core(io::file_system& disk, const core_options& options) {
  const storage::services outside{disk, *engine_, clock_, random_, sink_};
  TRY_ASSIGN(core_, core::open(outside, options));
  return wait_for(*engine_, milliseconds(limits::node_open_wait_ms_max), "open",
                  [this](callback<void(status)> done) { core_->start(std::move(done)); });
}

// On a copy in memory of what is changed; error_code::corrupt when the journal is not damaged.
status open_node::start_reading(core_options options) {
  TRY_ASSIGN(lock_, disk_->lock(options.log_directory + "/" + std::string(lock_file)));
  tried_on_ = std::make_unique<io::memory_file_system>();
  TRY(tried_on_->take_in(*disk_, options.log_directory));
  TRY(tried_on_->take_in(*disk_, options.journal_directory));
  options.takes_damaged_journal = true;
  TRY(start_core(*tried_on_, options));
  const auto damage = core_->replayed().damage;
  if (damage == nullptr) return make_error(error_code::corrupt, "the journal is not damaged");
  const error why = make_error(
      error_code::storage_failed,
      "{} is open for reading only: blocks {} of its journal are lost, although they were "
      "complete; {} partitions may lack records that were acknowledged. `ringlog check` names "
      "them, `ringlog check --repair` makes the directory writable without them",
      options.log_directory, to_string(damage->blocks), damage->logs.size());
  sink_.write(log_level::error, why.message);
  core_->refuse_writes(why);
  return {};
}

void open_node::share() {
  if (socket_path_.empty()) return;
  socket_ = std::make_unique<owner_socket>(*this, *engine_, *disk_, socket_path_);
  const status opened = socket_->open();
  if (opened.ok()) return;
  sink_.log(log_level::warning, "{}: other processes cannot share it: {}", address_,
            opened.failure().message);
}

status open_node::close(milliseconds wait_max) {
  closed_.store(true, std::memory_order_release);
  if (socket_ != nullptr) TRY(socket_->close(wait_max));
  status outcome = wait_for(*engine_, wait_max, "close " + address_,
                            [this](callback<void(status)> done) { core_->close(std::move(done)); });
  if (!outcome.ok() && outcome.code() == error_code::timed_out) return outcome;
  thread_.stop();
  engine_->discard();  // timers of clients hold this node
  const bool only_read = lock_ != nullptr;
  lock_.reset();
  return only_read ? status() : outcome;
}

status open_node::check_usable() const {
  if (generation_ != fork_generation()) {
    return make_error(error_code::closed,
                      "{} was opened before this process was forked, and its threads and its lock "
                      "stayed with the parent: make producers and consumers after the fork",
                      address_);
  }
  if (closed_.load(std::memory_order_acquire)) {
    return make_error(error_code::closed, "{} was closed: make a new client to open it again",
                      address_);
  }
  return {};
}

status open_node::check_settings(const model::config_map& wanted) const {
  const model::config_values& effective = core_->effective_settings();
  for (const auto& [name, value] : wanted) {
    const std::string now = effective.value(name).value_or("");
    if (now == value || now == "memory") continue;  // in memory there is one durability
    return make_error(error_code::invalid_config,
                      "{} is already open with {}={}, not {}: close it first, or leave the setting "
                      "out",
                      address_, name, now, value);
  }
  return {};
}

}  // namespace ringlog::node
