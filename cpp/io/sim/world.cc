#include "io/sim/world.h"

#include "io/sim/disk.h"

namespace ringlog::io::sim {
namespace {

byte_buffer join(const std::vector<bytes_view>& parts) {
  byte_buffer joined;
  for (const bytes_view part : parts) append(joined, part);
  return joined;
}

}  // namespace

void actor::post(task work) { posted_.push_back(std::move(work)); }

executor::timer_id actor::schedule_at(monotonic_time time, task work) {
  const timer_id id = world_.next_timer_++;
  timers_.emplace(std::pair(time, id), std::move(work));
  timer_times_.emplace(id, time);
  return id;
}

bool actor::cancel(timer_id id) {
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return false;
  const auto timer = timers_.find(std::pair(found->second, id));
  const task dropped = std::move(timer->second);
  timers_.erase(timer);
  timer_times_.erase(found);
  return true;
}

void actor::end_later(task work) {
  schedule_at(world_.time().now() + world_.random_latency(), std::move(work));
}

// Programs see an operation at the moment it ends. A power cut until then leaves of a write what
// stored_bytes says; the death of the process alone leaves nothing of it.
void actor::write(file& target, std::uint64_t position, std::vector<bytes_view> parts, bool durable,
                  completion done) {
  auto* simulated = dynamic_cast<disk_file*>(&target);
  CHECK(simulated != nullptr, "only files of a simulated disk are written in a simulation");
  auto begun = simulated->begin_write(position, join(parts));
  end_later([simulated, position, parts = std::move(parts), durable, begun = std::move(begun),
             done = std::move(done)]() mutable {
    const byte_buffer joined = join(parts);
    CHECK(begun == nullptr || begun->bytes == joined, "bytes changed while their write ran");
    status outcome = durable ? simulated->write_durable(position, joined)
                             : simulated->write_at(position, joined);
    begun.reset();
    done(std::move(outcome));
  });
}

void actor::sync(file& target, completion done) {
  end_later([&target, done = std::move(done)]() mutable { done(target.sync()); });
}

void actor::read(file& source, std::uint64_t position, mutable_bytes target, read_completion done) {
  end_later([&source, position, target, done = std::move(done)]() mutable {
    done(source.read_at(position, target));
  });
}

void actor::run_blocking(callback<status()> work, completion done) {
  end_later([work = std::move(work), done = std::move(done)]() mutable { done(work()); });
}

actor& world::make_actor() {
  actors_.push_back(std::unique_ptr<actor>(new actor(*this)));
  return *actors_.back();
}

actor* world::pick_ready() {
  std::vector<actor*> ready;
  for (const auto& candidate : actors_) {
    const auto& timers = candidate->timers_;
    const bool due = !timers.empty() && timers.begin()->first.first <= clock_.now();
    if (due || !candidate->posted_.empty()) ready.push_back(candidate.get());
  }
  return ready.empty() ? nullptr : ready[random_.below(ready.size())];
}

bool world::jump_to_next_timer() {
  std::optional<monotonic_time> next;
  for (const auto& candidate : actors_) {
    if (candidate->timers_.empty()) continue;
    const monotonic_time time = candidate->timers_.begin()->first.first;
    if (!next || time < *next) next = time;
  }
  if (!next) return false;
  clock_.now_ = std::max(clock_.now_, *next);
  return true;
}

bool world::run_one() {
  actor* chosen = pick_ready();
  if (chosen == nullptr) {
    if (!jump_to_next_timer()) return false;
    chosen = pick_ready();
  }
  run_task_of(*chosen);
  return true;
}

void world::run_task_of(actor& chosen) {
  auto& timers = chosen.timers_;
  const bool due = !timers.empty() && timers.begin()->first.first <= clock_.now();
  task work;
  if (due && (chosen.posted_.empty() || random_.one_in(2))) {
    const auto first = timers.begin();
    chosen.timer_times_.erase(first->first.second);
    work = std::move(first->second);
    timers.erase(first);
  } else {
    work = std::move(chosen.posted_.front());
    chosen.posted_.pop_front();
  }
  work();
}

void world::run_until_idle(std::int64_t tasks_max) {
  while (run_one()) {
    CHECK(--tasks_max > 0, "a simulation that does not come to rest, seed", seed_);
  }
}

void world::run_for(nanoseconds duration) {
  const monotonic_time end = clock_.now() + duration;
  for (;;) {
    if (pick_ready() == nullptr) {
      const monotonic_time before = clock_.now();
      if (!jump_to_next_timer()) break;
      if (clock_.now() > end) {
        clock_.now_ = before;
        break;
      }
    }
    run_one();
  }
  clock_.now_ = std::max(clock_.now_, end);
}

void world::drop_all() {
  // What a task holds may post or cancel while it dies; that vanishes too.
  for (bool empty = false; !empty;) {
    empty = true;
    for (const auto& each : actors_) {
      const auto posted = std::move(each->posted_);
      const auto timers = std::move(each->timers_);
      each->posted_.clear();
      each->timers_.clear();
      each->timer_times_.clear();
      empty = empty && posted.empty() && timers.empty();
    }
  }
}

nanoseconds world::random_latency() {
  if (random_.one_in(200)) return milliseconds(1 + random_.below(50));
  return std::chrono::microseconds(5 + random_.below(200));
}

}  // namespace ringlog::io::sim
