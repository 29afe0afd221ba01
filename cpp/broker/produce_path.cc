#include "broker/produce_path.h"

#include <atomic>
#include <utility>
#include <vector>

#include "model/topic_name.h"

namespace ringlog::broker {

namespace {
// How exactly timeouts are kept: one look at all waiting requests a second costs less than a timer
// for each.
constexpr milliseconds sweep_interval{1'000};
}  // namespace

struct produce_path::waiting_produce {
  topic_partition target;
  monotonic_time deadline;
  reply<produce_answer> done;
  std::atomic<bool> answered = false;

  void answer(result<produce_answer> value) {
    if (!answered.exchange(true)) done(std::move(value));
  }
};

produce_path::produce_path(broker_services outside, partition_table& partitions)
    : outside_(outside), partitions_(partitions) {}

void produce_path::produce(produce_request request, reply<produce_answer> done) {
  if (model::is_internal_topic(request.target.topic)) {
    return done(make_error(error_code::invalid_topic, "Cannot append to internal topic {}",
                           request.target.topic));
  }
  auto target = partitions_.find(request.target);
  if (!target.ok()) return done(std::move(target.failure()));

  auto waiting = std::make_shared<waiting_produce>();
  waiting->target = std::move(request.target);
  waiting->deadline = outside_.time.now() + milliseconds(request.timeout_ms);
  waiting->done = std::move(done);

  partition::append append;
  append.batches = std::move(request.batches);
  append.trusted = request.trusted;
  append.deadline = waiting->deadline;
  append.done = [self = shared_from_this(), waiting, acks = request.acks](
                    partition& appended_to, const result<storage::append_info>& info) {
    self->appended(waiting, acks, appended_to, info);
  };
  (*target)->append_as_leader(std::move(append));
}

void produce_path::appended(const std::shared_ptr<waiting_produce>& waiting, required_acks acks,
                            partition& target, const result<storage::append_info>& info) {
  if (!info.ok()) return waiting->answer(info.failure());
  const produce_answer answer{info->first_offset, info->log_append_timestamp,
                              info->log_start_offset, info->duplicate};
  if (acks == required_acks::none) return waiting->answer(answer);
  watch(waiting);
  target.log().when_durable(*info, [waiting, answer](const status& durable) {
    waiting->answer(durable.ok() ? result<produce_answer>(answer)
                                 : result<produce_answer>(durable.failure()));
  });
}

void produce_path::watch(const std::shared_ptr<waiting_produce>& waiting) {
  const std::lock_guard guard(mutex_);
  while (!watched_.empty() && watched_.front().expired()) watched_.pop_front();
  watched_.push_back(waiting);
  if (!std::exchange(sweeping_, true)) sweep_later();
}

void produce_path::sweep_later() {
  outside_.engine.schedule_at(outside_.time.now() + sweep_interval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->sweep();
  });
}

void produce_path::sweep() {
  std::vector<std::shared_ptr<waiting_produce>> late;
  {
    const std::lock_guard guard(mutex_);
    const monotonic_time now = outside_.time.now();
    std::erase_if(watched_, [&](const std::weak_ptr<waiting_produce>& entry) {
      auto waiting = entry.lock();
      if (waiting == nullptr) return true;
      if (waiting->deadline > now) return false;
      late.push_back(std::move(waiting));
      return true;
    });
    sweeping_ = !watched_.empty();
    if (sweeping_) sweep_later();
  }
  for (const auto& waiting : late) {
    waiting->answer(make_error(error_code::timed_out,
                               "the records for {} were not on stable storage in time: they may "
                               "be there or not",
                               waiting->target.to_string()));
  }
}

}  // namespace ringlog::broker
