#include "broker/fetch_path.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ringlog::broker {

// A fetch that waits. Kept by fetch_path's table until it is answered; wakers hold it weakly.
struct fetch_path::parked_fetch {
  token id = 0;
  fetch_request request;
  monotonic_time deadline;
  reply<fetch_answer> done;
  bool is_set_up = false;     // until then nobody but its maker touches it, under mutex_
  bool is_cancelled = false;  // meanwhile, under mutex_
  std::atomic<bool> answered = false;
  executor::timer_id timer = 0;
  std::vector<std::pair<std::shared_ptr<partition>, partition::waiter_id>> waiting_for;
};

fetch_path::fetch_path(broker_services outside, partition_table& partitions)
    : outside_(outside), partitions_(partitions) {}

fetch_path::token fetch_path::fetch(fetch_request request, reply<fetch_answer> done) {
  using storage::read_source;
  reading now =
      read(request, request.may_block ? read_source::memory_and_files : read_source::memory);
  const bool waits = request.wait_ms_max > 0 && !request.partitions.empty();
  if (!now.needs_files && (now.is_final || !waits)) {
    done(std::move(now.answer));
    return 0;
  }
  auto made = std::make_shared<parked_fetch>();
  made->id = ++last_token_;
  made->deadline = outside_.time.now() + milliseconds(request.wait_ms_max);
  made->request = std::move(request);
  made->done = std::move(done);
  {
    const std::lock_guard guard(mutex_);
    parked_[made->id] = made;
  }
  if (!now.needs_files) {
    park(made);
  } else {
    outside_.engine.post_aside([weak_self = weak_from_this(), made] {
      if (const auto self = weak_self.lock()) self->read_aside(made);
    });
  }
  return made->id;
}

void fetch_path::read_aside(const std::shared_ptr<parked_fetch>& fetch) {
  reading now = read(fetch->request, storage::read_source::memory_and_files);
  {
    const std::lock_guard guard(mutex_);
    if (now.is_final || fetch->request.wait_ms_max <= 0 || fetch->is_cancelled) {
      parked_.erase(fetch->id);
      fetch->answered = true;
    }
  }
  if (fetch->answered) return fetch->done(std::move(now.answer));
  park(fetch);
}

void fetch_path::park(const std::shared_ptr<parked_fetch>& fetch) {
  const auto wake =
      std::make_shared<task>([weak_self = weak_from_this(), weak = std::weak_ptr(fetch)] {
        const auto self = weak_self.lock();
        const auto woken = weak.lock();
        if (self != nullptr && woken != nullptr) self->look_again(woken, patience::wait);
      });
  for (const fetch_partition& asked : fetch->request.partitions) {
    auto source = partitions_.find(asked.source);
    if (!source.ok()) continue;  // looked at again below
    const auto waiter = (*source)->add_waiter(wake);
    fetch->waiting_for.emplace_back(std::move(*source), waiter);
  }
  patience left = patience::wait;
  {
    const std::lock_guard guard(mutex_);
    fetch->timer = outside_.engine.schedule_at(
        fetch->deadline, [weak_self = weak_from_this(), weak = std::weak_ptr(fetch)] {
          const auto self = weak_self.lock();
          const auto late = weak.lock();
          if (self != nullptr && late != nullptr) self->look_again(late, patience::give_up);
        });
    fetch->is_set_up = true;
    if (fetch->is_cancelled) left = patience::give_up;
  }
  look_again(fetch, left);  // what came between the first look and the waiters
}

void fetch_path::look_again(const std::shared_ptr<parked_fetch>& fetch, patience left,
                            storage::read_source source) {
  if (fetch->answered) return;
  reading now = read(fetch->request, source);
  if (now.needs_files) {
    outside_.engine.post_aside([weak_self = weak_from_this(), fetch, left] {
      const auto self = weak_self.lock();
      if (self == nullptr) return;
      self->look_again(fetch, left, storage::read_source::memory_and_files);
    });
    return;
  }
  if (!now.is_final && left == patience::wait) return;
  {
    const std::lock_guard guard(mutex_);
    if (!fetch->is_set_up) return;              // park() looks again when it is
    if (parked_.erase(fetch->id) == 0) return;  // another thread answers it
    fetch->answered = true;
  }
  outside_.engine.cancel(fetch->timer);
  for (const auto& [where, waiter] : fetch->waiting_for) where->remove_waiter(waiter);
  fetch->done(std::move(now.answer));
}

void fetch_path::cancel(token id) {
  std::shared_ptr<parked_fetch> fetch;
  {
    const std::lock_guard guard(mutex_);
    const auto found = parked_.find(id);
    if (found == parked_.end()) return;
    fetch = found->second;
    fetch->is_cancelled = true;
    if (!fetch->is_set_up) return;
  }
  look_again(fetch, patience::give_up);
}

void fetch_path::close() {
  std::vector<token> all;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [id, fetch] : parked_) all.push_back(id);
  }
  for (const token id : all) cancel(id);
}

fetch_path::reading fetch_path::read(const fetch_request& request,
                                     storage::read_source source) const {
  reading done;
  std::int64_t bytes = 0;
  for (const fetch_partition& asked : request.partitions) {
    const std::int64_t room = std::max<std::int64_t>(request.bytes_max - bytes, 0);
    auto found = read_partition(
        asked, {std::min(room, asked.bytes_max), bytes == 0, request.isolation, source}, bytes);
    if (!found) {
      done.needs_files = true;
      return done;
    }
    done.answer.partitions.push_back(std::move(*found));
    if (done.answer.partitions.back().failure) done.is_final = true;
  }
  if (bytes >= request.bytes_min) done.is_final = true;
  return done;
}

std::optional<fetched_partition> fetch_path::read_partition(const fetch_partition& asked,
                                                            const read_rules& rules,
                                                            std::int64_t& bytes) const {
  fetched_partition target;
  target.source = asked.source;
  const bool may_open = rules.source == storage::read_source::memory_and_files;
  auto source = may_open ? partitions_.find(asked.source) : partitions_.find_open(asked.source);
  if (source.ok() && *source == nullptr) return std::nullopt;
  if (!source.ok()) {
    target.failure = std::move(source.failure());
    return target;
  }
  status believed = partitions_.check_leader_epoch(asked.source, asked.current_leader_epoch);
  if (!believed.ok()) {
    target.failure = std::move(believed.failure());
    return target;
  }
  storage::partition_log& log = (*source)->log();
  auto got = log.read(asked.fetch_offset, rules.bytes_max, storage::bound_of(rules.isolation),
                      rules.min_one_batch, rules.source);
  if (got.ok() && got->needs_files) return std::nullopt;
  const storage::log_offsets offsets = got.ok() ? got->offsets : log.offsets();
  target.high_watermark = offsets.high_watermark;
  target.last_stable_offset = offsets.last_stable;
  target.log_start_offset = offsets.log_start;
  if (!got.ok()) {
    target.failure = std::move(got.failure());
    return target;
  }
  bytes += got->bytes;
  target.batches = std::move(got->batches);
  for (const storage::aborted_transaction& aborted : got->aborted) {
    target.aborted.push_back({aborted.producer_id, aborted.first_offset});
  }
  return target;
}

}  // namespace ringlog::broker
