#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "io/socket_network.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "node/engine_thread.h"
#include "node/stderr_log_sink.h"

namespace ringlog::client::remote {

// The thread that drives the sockets of all network clients of this process. It starts with the
// first client and ends by end(); an idle one costs nothing. A forked child has none of its
// parent's threads: it gets one of its own.
class network_thread {
 public:
  // The process's. Fails when no engine can be made.
  static result<std::shared_ptr<network_thread>> shared();

  // For the end of the process: lets requests that are under way end for at most so long, then
  // closes all connections and ends the thread. Calls of clients that still live stay unanswered
  // from then on, and check_usable() says so. A later shared() starts afresh.
  static void end_shared(milliseconds wait_max);

  ~network_thread();
  network_thread(const network_thread&) = delete;
  network_thread& operator=(const network_thread&) = delete;

  io::loop& loop() { return *loop_; }
  io::network& network() { return network_; }
  const clock& time() const { return clock_; }
  random_source& random() { return random_; }  // any thread
  log_sink& log() { return log_; }

  // error_code::closed after end_shared(), or in a forked child. Cheap; any thread.
  status check_usable() const;

  // Requests whose outcome somebody waits for; end_shared() waits for them.
  void call_began() { calls_.fetch_add(1); }
  void call_ended() { calls_.fetch_sub(1); }

 private:
  explicit network_thread(std::unique_ptr<io::loop> made);

  void end(milliseconds wait_max);

  // Of the members in this order: the network stands on the loop, the thread runs it.
  io::system_clock clock_;
  io::system_random random_;
  node::stderr_log_sink log_;
  const std::unique_ptr<io::loop> loop_;
  io::socket_network network_;
  node::engine_thread thread_;
  const std::uint32_t forks_;
  std::atomic<bool> ended_{false};
  std::atomic<std::int64_t> calls_{0};
};

}  // namespace ringlog::client::remote
