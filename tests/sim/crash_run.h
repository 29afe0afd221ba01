#pragma once

#include <cstdint>
#include <span>

#include "crash_points.h"
#include "recovery_events.h"
#include "run.h"

namespace ringlog::sim {

// How the boots of a run end: of five and `places_share` boots two close, one is killed, two crash
// at any of `operations_max` operations, the others at a named place.
struct boot_endings {
  std::uint64_t places_share;
  std::uint64_t operations_max;
};

// One life of a simulated machine: it boots again and again until the run has what it must contain
// (run_contents). What runs on it is told by who derives from this.
class crash_run {
 public:
  virtual ~crash_run() = default;

  violation play();

 protected:
  crash_run(std::uint64_t seed, const run_plan& plan, std::span<const crash_place> places,
            boot_endings endings, io::sim::event_counts& events);

  // Opens what there is and checks what was promised.
  virtual violation open_all() = 0;
  // open(), then does things with it until it is enough or the machine is off.
  virtual violation use() = 0;
  virtual violation close() = 0;
  // Nothing of the process is there any more.
  virtual void drop_process() = 0;
  virtual violation last_boot() { return open(); }
  virtual std::uint64_t operations() const = 0;
  virtual void count_own_events() = 0;

  violation open();
  // The process ends, whatever it was doing.
  void stop();
  // What happens while the machine is off is nobody's fault.
  violation unless_off(violation found) { return disk_.is_off() ? std::nullopt : found; }
  bool is_disk_failing() const { return failures_of(disk_) != failures_before_; }

  io::sim::event_counts& events_;
  const run_plan& plan_;
  io::sim::world world_;
  io::sim::disk disk_;
  io::sim::actor& engine_;
  recovery_events sink_;
  crash_plan crashes_;

 private:
  enum class ending : std::uint8_t { close, kill, crash_anywhere, crash_at_a_place };

  ending draw_ending();
  bool is_complete() const;
  violation boots();
  violation one_boot();
  void end_boot();

  const boot_endings endings_;
  std::uint64_t failures_before_ = 0;
  std::uint64_t crashed_ = 0;
  std::uint64_t restarted_ = 0;
};

}  // namespace ringlog::sim
