#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log_sink.h"
#include "base/logger_set.h"
#include "base/random.h"
#include "broker/own_configs.h"
#include "metadata/controller.h"
#include "model/config_def.h"
#include "model/types.h"
#include "storage/log_manager.h"

namespace ringlog::broker {

// The outside things that every part of the broker is given; all outlive it. Storage and metadata
// answer on the engine's thread.
struct broker_services {
  executor& engine;
  const clock& time;
  random_source& random;  // thread-safe
  log_sink& sink;
  storage::log_manager& logs;
  metadata::controller& controller;
  logger_set& loggers;  // what `sink` is one of
};

// What the node was started with.
struct broker_options {
  node_id_t node{1};
  std::string cluster_id;
  std::string host = "localhost";
  std::int32_t port = -1;            // -1: no listener
  model::config_map static_configs;  // server.properties and what open() was given
  std::shared_ptr<own_configs> own;  // none: they are kept in memory only
  bool in_memory = false;            // the log is: every topic's ringlog.durability is memory
};

}  // namespace ringlog::broker
