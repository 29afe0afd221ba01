#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "io/loop.h"
#include "io/memory_file_system.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "node/address.h"
#include "node/core.h"
#include "node/engine_thread.h"
#include "node/node.h"
#include "node/owner_socket.h"

namespace ringlog::node {

// What becomes of a directory whose journal is damaged (docs/journal_format.md, "Damage").
enum class damaged_journal {
  refused,
  read,   // served from memory, where it is replayed as far as can be proven; nothing is written
  taken,  // replayed so for good
};

// A node: a core on its disk with the engine's thread. Made and closed by the registry, one call
// at a time; the facade is for any thread.
class open_node final : public node {
 public:
  // `address` was prepared: its directory is there. Blocks until the node can serve.
  static result<std::shared_ptr<open_node>> open(const log_address& address,
                                                 const model::config_map& settings,
                                                 std::shared_ptr<logger_set> loggers,
                                                 damaged_journal damaged = damaged_journal::read);

  // Not closed: as after a kill.
  ~open_node() override;

  broker::broker& broker() override { return core_->broker(); }
  executor& engine() override { return *engine_; }
  const clock& time() const override { return clock_; }
  random_source& random() override { return random_; }
  std::shared_ptr<logger_set> loggers() override { return loggers_; }
  status back_up(const std::string& target) override;
  const std::string& address() const override { return address_; }
  status check_usable() const override;

  // From here on other processes reach the log by its directory's socket. Where none can be made
  // the log is as good as ever for this process, and its sink is told. Once; nothing in memory.
  void share();

  const storage::replayed_journal& replayed() const { return core_->replayed(); }

  // error_code::invalid_config naming the first of `wanted` that this node has another value for.
  status check_settings(const model::config_map& wanted) const;

  // Closes cleanly and ends the engine's thread. timed_out after wait_max: the disk does not
  // answer; the node then stays as it is, thread and all, and must be leaked.
  status close(milliseconds wait_max);

 private:
  open_node(const log_address& address, std::shared_ptr<logger_set> loggers);

  status start(const log_address& address, const model::config_map& settings,
               damaged_journal damaged);
  status start_core(io::file_system& disk, const core_options& options);
  status start_reading(core_options options);
  // Answers what ringlog.properties held at the moment of the copy; empty without one.
  result<byte_buffer> copy_logs(const std::string& target);
  status read_own_configs(byte_buffer& content) const;

  io::system_clock clock_;
  io::system_random random_;
  const std::shared_ptr<logger_set> loggers_;
  log_sink& sink_;
  std::string address_;
  std::string own_configs_path_;  // empty in memory
  std::uint32_t generation_;      // of forks, when it was opened
  std::unique_ptr<io::file_system> disk_;
  std::unique_ptr<io::file_lock> lock_;               // of a directory that is only read
  std::unique_ptr<io::memory_file_system> tried_on_;  // and what stands before its disk
  std::unique_ptr<io::loop> engine_;
  engine_thread thread_;
  std::unique_ptr<core> core_;
  std::string socket_path_;  // empty in memory
  std::unique_ptr<owner_socket> socket_;
  std::atomic<bool> closed_ = false;
};

}  // namespace ringlog::node
