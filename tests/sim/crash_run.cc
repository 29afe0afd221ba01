#include "crash_run.h"

namespace ringlog::sim {

crash_run::crash_run(std::uint64_t seed, const run_plan& plan, std::span<const crash_place> places,
                     boot_endings endings, io::sim::event_counts& events)
    : events_(events),
      plan_(plan),
      world_(seed),
      disk_(world_),
      engine_(world_.make_actor()),
      sink_(events),
      crashes_(disk_, world_.random(), places, events),
      endings_(endings) {
  disk_.faults = plan.faults;
}

violation crash_run::play() {
  violation found = boots();
  stop();
  count_own_events();
  events_["segments rolled"] += crashes_.segments_rolled();
  events_["checkpoints of a journal in use"] += crashes_.journal_checkpoints();
  add(events_, disk_.events());
  return found;
}

bool crash_run::is_complete() const {
  const run_contents wanted;
  return operations() >= wanted.operations && crashed_ >= wanted.crashes &&
         restarted_ >= wanted.restarts && crashes_.segments_rolled() >= wanted.segments_rolled &&
         crashes_.journal_checkpoints() >= wanted.checkpoints;
}

violation crash_run::boots() {
  for (int boot = 0; !is_complete(); ++boot) {
    if (boot == boots_max) return "the run does not come to what it must contain";
    if (violation found = one_boot()) return found;
  }
  return last_boot();
}

crash_run::ending crash_run::draw_ending() {
  const std::uint64_t drawn = world_.random().below(5 + endings_.places_share);
  if (drawn < 2) return ending::close;
  if (drawn < 3) return ending::kill;
  return drawn < 5 ? ending::crash_anywhere : ending::crash_at_a_place;
}

violation crash_run::one_boot() {
  const ending wanted = draw_ending();
  if (wanted == ending::crash_anywhere) crashes_.crash_at_any(endings_.operations_max);
  if (wanted == ending::crash_at_a_place) crashes_.crash_at_a_place();
  violation found = unless_off(use());
  if (!found && !disk_.is_off() && wanted != ending::kill) found = unless_off(close());
  crashes_.disarm();
  if (found) return found;
  if (wanted == ending::kill && !disk_.is_off()) ++events_["kills"];
  end_boot();
  return std::nullopt;
}

void crash_run::end_boot() {
  stop();
  ++restarted_;
  disk_.faults = plan_.faults;
  if (!disk_.is_off()) return;
  disk_.power_on();
  ++crashed_;
  ++events_["boots after a crash"];
}

violation crash_run::open() {
  failures_before_ = failures_of(disk_);
  const bool was_used = crashed_ > 0;
  violation found = open_all();
  if (disk_.is_off() && was_used) ++events_["crash during a start"];
  return unless_off(std::move(found));
}

void crash_run::stop() {
  crashes_.set_in_use(false);
  world_.drop_all();
  drop_process();
  world_.drop_all();
}

}  // namespace ringlog::sim
