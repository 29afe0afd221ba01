#include "node/registry.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "base/limits.h"
#include "io/posix_file_system.h"
#include "node/fork_guard.h"

namespace ringlog::node {
namespace {

// Equal for every path that leads to the same directory, which is made when it is not there.
result<std::string> key_of(const log_address& address) {
  if (address.in_memory) return address.text();
  io::posix_file_system disk;
  TRY_ASSIGN(const directory_layout layout, prepare_directory(disk, address.name));
  TRY_ASSIGN(const auto identity, disk.identify(layout.log_directory));
  return fmt::format("file {}:{}", identity.device, identity.inode);
}

void report(logger_set& loggers, const status& failed) {
  loggers.of(logger_names::node).write(log_level::error, failed.failure().message);
}

std::atomic<registry*> current{nullptr};

}  // namespace

registry& registry::instance() {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { current = nullptr; });
  static_cast<void>(registered);
  registry* known = current.load();
  if (known != nullptr) return *known;
  auto made = std::make_unique<registry>();
  if (current.compare_exchange_strong(known, made.get())) return *made.release();
  return *known;
}

result<std::shared_ptr<node>> registry::open(const log_address& address,
                                             const model::config_map& settings, log_sink* sink,
                                             log_level least) {
  auto wanted = settings;
  model::config_map of_address = address.settings;
  wanted.merge(of_address);
  TRY(check_setting_names(wanted));
  TRY_ASSIGN(const std::string key, key_of(address));
  const auto deadline =
      std::chrono::steady_clock::now() + milliseconds(limits::node_open_wait_ms_max);
  lock held(mutex_);
  if (!wait_until_settled(held, key, deadline)) {
    return make_error(error_code::timed_out, "{} is being closed or opened for {} ms already",
                      address.text(), limits::node_open_wait_ms_max);
  }
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    log_sink& target = sink == nullptr ? standard_error_ : *sink;
    return open_new(held, key, address, wanted, std::make_shared<logger_set>(target, least));
  }
  TRY(found->second.opened->check_settings(wanted));
  return make_handle(key, found->second);
}

// Until nobody is opening or closing it.
bool registry::wait_until_settled(lock& held, const std::string& key, time_point deadline) {
  return changed_.wait_until(held, deadline, [&] {
    const auto found = entries_.find(key);
    return found == entries_.end() || found->second.now == phase::open;
  });
}

result<std::shared_ptr<node>> registry::open_new(lock& held, const std::string& key,
                                                 const log_address& address,
                                                 const model::config_map& settings,
                                                 std::shared_ptr<logger_set> loggers) {
  entries_[key] = {};
  held.unlock();
  auto opened = open_node::open(address, settings, std::move(loggers));
  if (opened.ok()) (*opened)->share();
  held.lock();
  changed_.notify_all();
  if (!opened.ok()) {
    entries_.erase(key);
    return std::move(opened.failure());
  }
  entry& here = entries_[key];
  here.now = phase::open;
  here.in_memory = address.in_memory;
  here.opened = std::move(opened).value();
  start_keeper();
  return make_handle(key, here);
}

std::shared_ptr<node> registry::make_handle(const std::string& key, entry& of) {
  ++of.handles;
  // The deleter holds the node: a handle outlives the entry when the node is closed under it.
  const std::uint32_t generation = fork_generation();
  return {of.opened.get(), [this, key, held = of.opened, generation](node*) {
            if (generation == fork_generation()) {
              release(key, held.get());
            } else {
              // A forked child: the threads that the destructor would join are not here.
              new std::shared_ptr<open_node>(held);
            }
          }};
}

void registry::release(const std::string& key, const open_node* released) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.opened.get() != released) return;
  if (--found->second.handles > 0) return;
  found->second.idle_since = std::chrono::steady_clock::now();
  changed_.notify_all();
}

status registry::close(const log_address& address, milliseconds wait_max) {
  TRY_ASSIGN(const std::string key, key_of(address));
  lock held(mutex_);
  if (!wait_until_settled(held, key, std::chrono::steady_clock::now() + wait_max)) {
    return make_error(error_code::timed_out, "{} is being opened or closed", address.text());
  }
  return entries_.contains(key) ? close_entry(held, key, wait_max) : status();
}

status registry::close_entry(lock& held, const std::string& key, milliseconds wait_max) {
  entry& here = entries_[key];
  here.now = phase::closing;
  const std::shared_ptr<open_node> closed = here.opened;
  held.unlock();
  status outcome = closed->close(wait_max);
  held.lock();
  if (!outcome.ok() && outcome.code() == error_code::timed_out) {
    // Its thread is stuck in the disk. It keeps the lock, so it stays in the table: "closing".
    new std::shared_ptr<open_node>(closed);
    return outcome;
  }
  entries_.erase(key);
  changed_.notify_all();
  return outcome;
}

void registry::close_all(milliseconds wait_max) {
  const auto deadline = std::chrono::steady_clock::now() + wait_max;
  lock held(mutex_);
  for (;;) {
    std::string key;
    for (const auto& [name, each] : entries_) {
      if (each.now == phase::open) key = name;
    }
    if (key.empty()) break;
    const auto loggers = entries_[key].opened->loggers();
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    const status outcome = close_entry(held, key, std::max(left, milliseconds(0)));
    if (!outcome.ok()) report(*loggers, outcome);
  }
  end_keeper(held, deadline);
}

void registry::end_keeper(lock& held, time_point deadline) {
  const bool settled = changed_.wait_until(held, deadline, [&] {
    return std::ranges::none_of(entries_,
                                [](const auto& each) { return each.second.now == phase::closing; });
  });
  ending_ = true;
  changed_.notify_all();
  std::thread ended = std::move(keeper_);
  if (!ended.joinable()) return;
  if (settled) {
    held.unlock();
    ended.join();
    held.lock();
  } else {
    ended.detach();  // it waits for a disk that does not answer; the registry outlives it
  }
}

void registry::start_keeper() {
  if (keeper_.joinable()) return;
  ending_ = false;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  keeper_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "ringlog-keeper");
    keep();
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void registry::keep() {
  lock held(mutex_);
  while (!ending_) {
    const auto now = std::chrono::steady_clock::now();
    std::optional<time_point> next;
    std::string due;
    for (const auto& [key, each] : entries_) {
      // What is in memory would be gone: it stays until it is closed by name.
      if (each.now != phase::open || each.handles > 0 || each.in_memory) continue;
      const time_point end = each.idle_since + milliseconds(limits::node_linger_ms);
      if (end <= now) due = key;
      if (!next || end < *next) next = end;
    }
    if (!due.empty()) {
      const auto loggers = entries_[due].opened->loggers();
      const status outcome = close_entry(held, due, milliseconds(limits::node_close_wait_ms_max));
      if (!outcome.ok()) report(*loggers, outcome);
    } else if (next) {
      changed_.wait_until(held, *next);
    } else {
      changed_.wait(held);
    }
  }
}

result<std::shared_ptr<node>> open(std::string_view address, const model::config_map& settings,
                                   log_sink* sink, log_level least) {
  TRY_ASSIGN(const log_address where, parse_address(address));
  return registry::instance().open(where, settings, sink, least);
}

status close(std::string_view address, milliseconds wait_max) {
  TRY_ASSIGN(const log_address where, parse_address(address));
  return registry::instance().close(where, wait_max);
}

void close_all(milliseconds wait_max) { registry::instance().close_all(wait_max); }

}  // namespace ringlog::node
