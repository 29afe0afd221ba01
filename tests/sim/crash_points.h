#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/sim/disk.h"
#include "run.h"

namespace ringlog::sim {

// What a file or directory of a log directory is for; crash points are named by it.
std::string_view role_of(const io::sim::crash_point& point);

// "crash before rename of journal checkpoint".
std::string name_of(std::string_view what, bool is_after, std::string_view role);

// An operation on a kind of file, which ten thousand runs have to crash at.
struct crash_place {
  std::string_view what;
  std::string_view role;
};

// Decides, for one boot at a time, at which operation the simulated machine is switched off, and
// counts on the way what only files show: segments begun, checkpoints of the journal.
class crash_plan {
 public:
  crash_plan(io::sim::disk& drive, random_source& random, std::span<const crash_place> places,
             io::sim::event_counts& events);
  ~crash_plan() { disk_.observer = nullptr; }

  // No crash until the next call of one of the other two.
  void disarm() { left_.reset(); }
  // At the n-th operation from now on.
  void crash_at_any(std::uint64_t operations_max);
  // At one of the named places, the first or second time that it is come to; maybe never.
  void crash_at_a_place();

  // Between a start and a stop, which write checkpoints of their own.
  void set_in_use(bool in_use) { in_use_ = in_use; }

  std::uint64_t segments_rolled() const { return segments_rolled_; }
  std::uint64_t journal_checkpoints() const { return journal_checkpoints_; }

 private:
  void reach(const io::sim::crash_point& point);
  bool strikes(const io::sim::crash_point& point, std::string_view role);

  io::sim::disk& disk_;
  random_source& random_;
  const std::span<const crash_place> places_;
  io::sim::event_counts& events_;
  std::optional<std::uint64_t> left_;  // the crash comes after so many points more
  std::optional<crash_place> place_;   // only points of this place count
  bool after_ = false;
  bool in_use_ = false;
  std::uint64_t segments_rolled_ = 0;
  std::uint64_t journal_checkpoints_ = 0;
};

}  // namespace ringlog::sim
