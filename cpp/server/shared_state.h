#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log_sink.h"
#include "base/random.h"
#include "broker/broker.h"
#include "server/fetch_session_cache.h"
#include "server/presented_nodes.h"
#include "server/request_memory.h"
#include "server/server_limits.h"
#include "server/server_metrics.h"
#include "server/telemetry/client_telemetry.h"

namespace ringlog::server {

// How many connections there are, in all and by address. Any thread.
class connection_counts {
 public:
  explicit connection_counts(const server_limits& limits) : limits_(limits) {}

  // False when there are as many as may be. With true, remove() later.
  bool add(const std::string& address);
  void remove(const std::string& address);

  std::int64_t all() const;

 private:
  const server_limits& limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::int64_t all_ = 0;
  std::map<std::string, std::int64_t> by_address_;
};

// What all connections of a server have together; kept by them and by their calls. Any thread.
struct shared_state {
  shared_state(broker::broker& asked, std::size_t node_count, executor& aside, const clock& clock,
               random_source& random, log_sink& log, const server_limits& given)
      : core(asked),
        nodes(node_count > 1 ? std::make_unique<presented_nodes>(asked, node_count) : nullptr),
        engine(aside),
        time(clock),
        sink(log),
        limits(given),
        fetch_sessions(clock, random,
                       {given.fetch_sessions_max, given.fetch_session_bytes_max,
                        given.fetch_session_eviction_min}),
        telemetry(clock, random) {}

  broker::broker& core;
  const std::unique_ptr<presented_nodes> nodes;  // none: the core is the only one
  executor& engine;                              // the core's
  const clock& time;
  log_sink& sink;
  const server_limits limits;
  request_memory requests{limits.request_bytes_max};
  std::atomic<std::int64_t> answer_bytes = 0;  // that clients have not taken yet
  connection_counts connections{limits};
  fetch_session_cache fetch_sessions;
  server_metrics metrics;
  client_telemetry telemetry;
};

}  // namespace ringlog::server
