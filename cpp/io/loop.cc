#include "io/loop.h"

#include "base/pause_processor.h"

namespace ringlog::io {

loop::~loop() { CHECK(under_way_ == 0, "an engine dies with operations under way:", under_way_); }

void loop::run() {
  std::thread::id nobody;
  const bool first = owner_.compare_exchange_strong(nobody, std::this_thread::get_id());
  CHECK(first || on_own_thread(), "an engine runs on one thread for its whole life");
  if (first) start();
  for (;;) {
    run_finished();
    run_due_timers();
    run_posted();
    sockets().run_events();
    if (may_end()) break;
    run_lone();
    if (linger()) continue;
    wait(prepare_to_wait());
    const std::lock_guard lock(mutex_);
    asleep_ = false;
  }
  helper_.end();
  aside_.end();
}

// Looks for a task before sleeping, when the last idle time was short. True when there is one. It
// would not see what happens to operations and sockets.
bool loop::linger() {
  if (under_way_ > 0 || !finished_.empty() || sockets().open_count() > 0) return false;
  idle_since_ = clock_.now();
  if (!soon_woken_) return false;
  const monotonic_time end = idle_since_ + linger_max;
  while (clock_.now() < end) {
    for (int i = 0; i < 8; ++i) {
      if (is_posted_.load(std::memory_order_relaxed)) return true;
      pause_processor();
    }
  }
  return false;
}

void loop::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_if_asleep(std::move(lock));
}

void loop::discard() {
  std::vector<task> posted;
  decltype(timers_) timers;  // both die after the mutex is free: what they hold may call us
  {
    const std::lock_guard lock(mutex_);
    discarding_ = true;
    posted.swap(posted_);
    timers.swap(timers_);
    timer_times_.clear();
  }
  aside_.drop();
}

bool loop::may_end() {
  if (under_way_ > 0 || !finished_.empty() || sockets().open_count() > 0) return false;
  const std::lock_guard lock(mutex_);
  if (!stopping_ || !posted_.empty()) return false;
  stopping_ = false;
  return true;
}

// How long nothing is to be done; from here on post() and schedule_at() must wake.
std::optional<nanoseconds> loop::prepare_to_wait() {
  if (!finished_.empty() || sockets().has_events()) return nanoseconds(0);
  const bool is_idle = under_way_ == 0 && sockets().open_count() == 0;
  const monotonic_time now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (!posted_.empty() || (stopping_ && is_idle)) return nanoseconds(0);
  asleep_ = true;
  if (timers_.empty()) return std::nullopt;
  return std::max(timers_.begin()->first.first - now, nanoseconds(0));
}

void loop::wake_if_asleep(std::unique_lock<std::mutex> held) {
  const bool asleep = std::exchange(asleep_, false);
  held.unlock();
  if (asleep) wake();
}

void loop::post(task work) {
  std::unique_lock lock(mutex_);
  if (discarding_) return;
  posted_.push_back(std::move(work));
  is_posted_.store(true, std::memory_order_relaxed);
  wake_if_asleep(std::move(lock));
}

void loop::post_aside(task work) {
  const std::lock_guard lock(mutex_);
  if (!discarding_) aside_.post(std::move(work));
}

executor::timer_id loop::schedule_at(monotonic_time time, task work) {
  std::unique_lock lock(mutex_);
  const timer_id id = next_timer_++;
  if (discarding_) return id;
  const bool earliest = timers_.empty() || time < timers_.begin()->first.first;
  timers_.emplace(std::pair(time, id), std::move(work));
  timer_times_.emplace(id, time);
  if (earliest) wake_if_asleep(std::move(lock));
  return id;
}

bool loop::cancel(timer_id id) {
  task dropped;  // dies after the mutex is free: what it holds may call us
  const std::lock_guard lock(mutex_);
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return false;
  const auto timer = timers_.find(std::pair(found->second, id));
  dropped = std::move(timer->second);
  timers_.erase(timer);
  timer_times_.erase(found);
  return true;
}

// Runs the timers that are due and were set before this call: one that sets itself anew for "now"
// does not hold the loop. Each is taken out when it runs, so that an earlier one can cancel it.
void loop::run_due_timers() {
  const monotonic_time now = clock_.now();
  timer_id end = 0;
  {
    const std::lock_guard lock(mutex_);
    end = next_timer_;
  }
  for (;;) {
    task work;
    {
      const std::lock_guard lock(mutex_);
      if (timers_.empty()) return;
      const auto first = timers_.begin();
      const auto [time, id] = first->first;
      if (time > now || id >= end) return;
      work = std::move(first->second);
      timers_.erase(first);
      timer_times_.erase(id);
    }
    work();
  }
}

void loop::run_posted() {
  std::vector<task> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(posted_);
    is_posted_.store(false, std::memory_order_relaxed);
  }
  if (batch.empty()) return;
  if (idle_since_ != monotonic_time{}) {
    soon_woken_ = clock_.now() - std::exchange(idle_since_, {}) <= linger_max;
  }
  for (task& work : batch) {
    task running = std::move(work);  // and dies before the next one runs
    running();
  }
}

void loop::run_finished() {
  std::vector<std::unique_ptr<operation>> batch;
  batch.swap(finished_);
  for (std::unique_ptr<operation>& over : batch) {
    const std::unique_ptr<operation> running = std::move(over);
    running->complete();
  }
}

void loop::finished(std::unique_ptr<operation> work) {
  CHECK(under_way_ > 0, "an operation ended twice");
  --under_way_;
  finished_.push_back(std::move(work));
}

void loop::submit(std::unique_ptr<operation> work) {
  CHECK(on_own_thread(), "operations are submitted on the engine's own thread");
  ++under_way_;
  if (work->is_empty()) {
    finished(std::move(work));
  } else if (work->descriptor() < 0) {
    work->run_by_file();
    finished(std::move(work));
  } else if (work->wants_trial()) {
    work->run_blocking();
    finished(std::move(work));
  } else if (under_way_ == 1 && may_run_in_place(*work)) {
    lone_ = std::move(work);
  } else {
    if (lone_ != nullptr) begin(std::move(lone_));
    begin(std::move(work));
  }
}

bool loop::may_run_in_place(const operation& work) const {
  return work.what() == operation::kind::durable_write && work.bytes_left() <= in_place_bytes_max &&
         clock_.now() >= in_place_again_;
}

void loop::run_lone() {
  if (lone_ == nullptr) return;
  const monotonic_time began = clock_.now();
  lone_->run_blocking();
  const nanoseconds took = clock_.now() - began;
  if (took > in_place_time_max) in_place_again_ = began + in_place_share * took;
  finished(std::move(lone_));
}

void loop::write(file& target, std::uint64_t position, std::vector<bytes_view> parts, bool durable,
                 completion done) {
  submit(operation::make_write(target, position, parts, durable, std::move(done)));
}

void loop::sync(file& target, completion done) {
  submit(operation::make_sync(target, std::move(done)));
}

void loop::read(file& source, std::uint64_t position, mutable_bytes target, read_completion done) {
  submit(operation::make_read(source, position, target, std::move(done)));
}

// ---- blocking work

void loop::run_blocking(callback<status()> work, completion done) {
  CHECK(on_own_thread(), "operations are submitted on the engine's own thread");
  ++under_way_;
  helper_.post([this, work = std::move(work), done = std::move(done)]() mutable {
    status outcome = work();
    work = nullptr;
    post([this, outcome = std::move(outcome), done = std::move(done)]() mutable {
      --under_way_;
      done(std::move(outcome));
    });
  });
}

}  // namespace ringlog::io
