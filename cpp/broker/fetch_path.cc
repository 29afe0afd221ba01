#include "broker/fetch_path.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ringlog::broker {

// A fetch that waits. Kept by fetch_path's table until it is answered; wakers hold it weakly.
struct fetch_path::parked_fetch {
  token id = 0;
  fetch_request request;
  reply<fetch_answer> done;
  std::atomic<bool> answered = false;
  executor::timer_id timer = 0;
  std::vector<std::pair<std::shared_ptr<partition>, partition::waiter_id>> waiting_for;
};

fetch_path::fetch_path(broker_services outside, partition_table& partitions)
    : outside_(outside), partitions_(partitions) {}

fetch_path::token fetch_path::fetch(fetch_request request, reply<fetch_answer> done) {
  reading now = read(request);
  if (now.is_final || request.wait_ms_max <= 0 || request.partitions.empty()) {
    done(std::move(now.answer));
    return 0;
  }
  auto parked = std::make_shared<parked_fetch>();
  parked->id = ++last_token_;
  parked->request = std::move(request);
  parked->done = std::move(done);
  park(parked);
  return parked->id;
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
  {
    const std::lock_guard guard(mutex_);
    parked_[fetch->id] = fetch;
    fetch->timer =
        outside_.engine.schedule_at(outside_.time.now() + milliseconds(fetch->request.wait_ms_max),
                                    [weak_self = weak_from_this(), weak = std::weak_ptr(fetch)] {
                                      const auto self = weak_self.lock();
                                      const auto late = weak.lock();
                                      if (self != nullptr && late != nullptr)
                                        self->look_again(late, patience::give_up);
                                    });
  }
  look_again(fetch, patience::wait);  // what came between the first look and the waiters
}

void fetch_path::look_again(const std::shared_ptr<parked_fetch>& fetch, patience left) {
  if (fetch->answered) return;
  reading now = read(fetch->request);
  if (!now.is_final && left == patience::wait) return;
  {
    const std::lock_guard guard(mutex_);
    if (parked_.erase(fetch->id) == 0) return;  // another thread answers it
    fetch->answered = true;
  }
  outside_.engine.cancel(fetch->timer);
  for (const auto& [source, waiter] : fetch->waiting_for) source->remove_waiter(waiter);
  fetch->done(std::move(now.answer));
}

void fetch_path::cancel(token id) {
  std::shared_ptr<parked_fetch> fetch;
  {
    const std::lock_guard guard(mutex_);
    const auto found = parked_.find(id);
    if (found == parked_.end()) return;
    fetch = found->second;
  }
  look_again(fetch, patience::give_up);
}

void fetch_path::close() {
  std::vector<std::shared_ptr<parked_fetch>> all;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [id, fetch] : parked_) all.push_back(fetch);
  }
  for (const auto& fetch : all) look_again(fetch, patience::give_up);
}

fetch_path::reading fetch_path::read(const fetch_request& request) const {
  reading done;
  std::int64_t bytes = 0;
  for (const fetch_partition& asked : request.partitions) {
    const std::int64_t room = std::max<std::int64_t>(request.bytes_max - bytes, 0);
    done.answer.partitions.push_back(read_partition(asked, std::min(room, asked.bytes_max),
                                                    bytes == 0, request.isolation, bytes));
    if (done.answer.partitions.back().failure) done.is_final = true;
  }
  if (bytes >= request.bytes_min) done.is_final = true;
  return done;
}

fetched_partition fetch_path::read_partition(const fetch_partition& asked, std::int64_t bytes_max,
                                             bool min_one_batch, isolation_level isolation,
                                             std::int64_t& bytes) const {
  fetched_partition target;
  target.source = asked.source;
  auto source = partitions_.find(asked.source, asked.current_leader_epoch);
  if (!source.ok()) {
    target.failure = std::move(source.failure());
    return target;
  }
  storage::partition_log& log = (*source)->log();
  auto got = log.read(asked.fetch_offset, bytes_max, storage::bound_of(isolation), min_one_batch);
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
