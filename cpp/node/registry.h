#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "node/open_node.h"
#include "node/stderr_log_sink.h"

namespace ringlog::node {

// The nodes of this process, one per directory or memory name, and who uses them. Opening and
// closing happen outside the mutex; whoever wants the same node meanwhile waits. A keeper thread,
// started with the first node, closes those on disk that nobody used for limits::node_linger_ms.
//
// Lives as long as the process. A forked child starts with an empty one: the parent's, threads
// missing, is left where it is.
class registry {
 public:
  static registry& instance();

  result<std::shared_ptr<node>> open(const log_address& address, const model::config_map& settings,
                                     log_sink* sink, log_level least);
  status close(const log_address& address, milliseconds wait_max);
  void close_all(milliseconds wait_max);

 private:
  using time_point = std::chrono::steady_clock::time_point;
  enum class phase { opening, open, closing };
  struct entry {
    phase now = phase::opening;
    bool in_memory = false;
    std::shared_ptr<open_node> opened;
    std::size_t handles = 0;
    time_point idle_since;
  };
  using entries = std::map<std::string, entry>;
  using lock = std::unique_lock<std::mutex>;

  std::shared_ptr<node> make_handle(const std::string& key, entry& of);
  void release(const std::string& key, const open_node* released);
  result<std::shared_ptr<node>> open_new(lock& held, const std::string& key,
                                         const log_address& address,
                                         const model::config_map& settings,
                                         std::shared_ptr<logger_set> loggers);
  status close_entry(lock& held, const std::string& key, milliseconds wait_max);
  bool wait_until_settled(lock& held, const std::string& key, time_point deadline);
  void keep();
  void start_keeper();
  void end_keeper(lock& held, time_point deadline);

  stderr_log_sink standard_error_{log_level::debug};
  std::mutex mutex_;
  std::condition_variable changed_;
  entries entries_;
  std::thread keeper_;
  bool ending_ = false;
};

}  // namespace ringlog::node
