#pragma once

#include <memory>
#include <string>

#include "base/limits.h"
#include "base/logger_set.h"
#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "broker/broker.h"
#include "model/config_def.h"
#include "storage/log_manager.h"
#include "storage/services.h"

namespace ringlog::node {

struct core_options {
  std::string log_directory;           // exists
  std::string journal_directory;       // made when missing; empty for a log in memory
  model::config_map settings;          // of the broker
  bool takes_damaged_journal = false;  // see storage::log_manager_options
  std::int64_t journal_bytes_max = limits::journal_bytes_max;
  std::size_t single_syncs_max = limits::single_syncs_max;
  std::shared_ptr<logger_set> loggers = nullptr;  // none: some of its own, before the sink
};

// An open log without threads: storage, metadata and broker, built in this order and taken down in
// the reverse one. Production runs it on an engine's thread (node/open_node.h), simulation steps
// it (tests/sim).
//
// open() and the destructor run where the caller wants, the rest on the engine's thread. Destroyed
// without close() the directory is as after a kill; the engine has stopped by then.
class core {
 public:
  // The random source is thread-safe where the engine has a thread of its own.
  static result<std::unique_ptr<core>> open(const storage::services& outside,
                                            const core_options& options);
  virtual ~core() = default;

  // Builds the broker once everything that opening wrote is durable, then answers. Once.
  virtual void start(callback<void(status)> done) = 0;

  virtual storage::log_manager& logs() = 0;

  // After start(): writes are answered with `why` from now on, reads go on.
  virtual void refuse_writes(const error& why) = 0;

  // After start() answered success.
  virtual broker::broker& broker() = 0;

  // What open() took over from the journal.
  virtual const storage::replayed_journal& replayed() const = 0;

  // What the broker acts on: settings, else defaults.
  virtual const model::config_values& effective_settings() const = 0;

  // The broker answers what is parked and refuses from now on (error_code::closed), then
  // everything becomes durable, Kafka's files complete, and the lock is released. Once; without
  // start(), too.
  virtual void close(callback<void(status)> done) = 0;
};

}  // namespace ringlog::node
