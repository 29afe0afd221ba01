#pragma once

#include "base/clock.h"
#include "base/log_sink.h"
#include "base/random.h"
#include "io/engine.h"
#include "io/file.h"

namespace ringlog::storage {

// The outside things that every part of storage is given; all outlive the log_manager. `random` is
// used on the engine's thread and in log_manager::open only.
struct services {
  io::file_system& disk;
  io::engine& engine;
  const ringlog::clock& clock;
  random_source& random;
  log_sink& sink;
};

}  // namespace ringlog::storage
