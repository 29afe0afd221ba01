#pragma once

#include "base/log_sink.h"
#include "io/sim/disk.h"

namespace ringlog::sim {

// Counts, by what the library logs, which ways it went: what was replayed, what was cut, what was
// refused.
class recovery_events final : public log_sink {
 public:
  explicit recovery_events(io::sim::event_counts& events) : events_(events) {}
  void write(log_level level, std::string_view message) override;

 private:
  void note_replay(std::string_view message);

  io::sim::event_counts& events_;
};

}  // namespace ringlog::sim
