#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "base/logger_set.h"
#include "base/random.h"
#include "base/result.h"
#include "broker/broker.h"
#include "model/config_def.h"

// The composition root: one open log of this process, on a directory or in memory, with the
// threads that drive it.
namespace ringlog::node {

// An open log: its broker and the outside things that go with it. There is one per directory
// (device and inode) or memory name in a process, shared by all handles to it. Callable from any
// thread.
//
// A node stays open limits::node_linger_ms after its last handle went, so that a loop of
// short-lived clients does not pay for a clean shutdown each time; then a background thread closes
// it. After a close under its clients the object stays until the last handle goes, and every call
// of its broker answers error_code::closed.
class node {
 public:
  virtual ~node() = default;

  virtual broker::broker& broker() = 0;
  virtual executor& engine() = 0;  // runs replies and timers; never the user's code
  virtual const clock& time() const = 0;
  virtual random_source& random() = 0;                // any thread
  virtual std::shared_ptr<logger_set> loggers() = 0;  // of this node alone
  log_sink& log(std::string_view name) { return loggers()->of(name); }

  // Makes `target`, which is not there or an empty directory, a Kafka log directory with all logs
  // as they are at one moment: what was acknowledged before the call is in it, each log without a
  // gap. Producers go on meanwhile. `target` appears as a whole or not at all, ringlog.properties
  // beside it in TARGET.ringlog. Blocks for the copying. already_exists, no_space, storage_failed.
  virtual status back_up(const std::string& target) = 0;

  // "file:/absolute/path", "memory:" or "memory:name".
  virtual const std::string& address() const = 0;

  // error_code::closed when the node was closed under its clients, or in a forked child, which
  // has neither its threads nor its lock; the message says which. Cheap: for every call.
  virtual status check_usable() const = 0;
};

// Opens the log of `address`, or returns the one that is open:
//  - "file:PATH": PATH/log is the Kafka log directory; both are made when missing. A PATH that has
//    meta.properties is a Kafka log directory itself and opened in place.
//  - "memory:", "memory:name": in RAM. Stays open without handles, since closing it loses what it
//    holds: until close() or close_all().
// Broker settings by Kafka's names (model::broker_configs), strongest first: `settings`, the
// address's own ("file:./data?log.retention.ms=-1&..."), server.properties in PATH. An open log
// with other settings than those asked for is error_code::invalid_config naming one that differs;
// without settings it is taken as it is.
//
// Blocks for the recovery of the metadata, and while a close of the same log is under way, at most
// limits::node_open_wait_ms_max. Failures: foreign_directory, unsupported (a newer format),
// locked (naming the owner's pid), permission_denied, corrupt, invalid_config, timed_out.
// `sink` is used by the call that opens and must outlive the process's nodes; null means standard
// error. What is written to it at first is `least` and worse.
result<std::shared_ptr<node>> open(std::string_view address, const model::config_map& settings = {},
                                   log_sink* sink = nullptr, log_level least = log_level::warning);

// Closes the log of `address` now, clients or not: everything durable, Kafka's files complete, lock
// released. Success when it is not open. timed_out when the disk does not answer in `wait_max`.
status close(std::string_view address, milliseconds wait_max);

// Closes every open log and ends the background thread: for the end of the process. Reports
// failures to the logs' sinks. A later open starts afresh.
void close_all(milliseconds wait_max);

}  // namespace ringlog::node
