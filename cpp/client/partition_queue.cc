#include "client/partition_queue.h"

#include <algorithm>

#include "client/producer_core.h"
#include "codec/codec.h"

namespace ringlog::client {
namespace {

constexpr std::size_t bytes_expected_at_first = 512;

// Room is taken in steps of this, so that not every record touches the shared counter.
constexpr std::int64_t reserve_step = 4096;

// Passing conditions, after which the same batch may be taken.
bool is_passing(error_code code) {
  switch (code) {
    case error_code::no_memory:
    case error_code::not_leader:
    case error_code::timed_out:
    case error_code::coordinator_loading:
    case error_code::coordinator_not_available:
      return true;
    default:
      return false;
  }
}

// The broker cannot continue the producer's sequence (its state expired, or a batch is missing).
bool breaks_sequence(error_code code) {
  return code == error_code::out_of_order_sequence || code == error_code::unknown_producer_id ||
         code == error_code::invalid_producer_epoch;
}

}  // namespace

partition_queue::partition_queue(producer_core& core, topic_partition target)
    : core_(core), target_(std::move(target)), bytes_expected_(bytes_expected_at_first) {}

std::shared_ptr<partition_queue> partition_queue::shared_from_core() {
  return {core_.shared_from_this(), this};
}

// ---- filling

partition_queue::append_outcome partition_queue::append(const outgoing_record& record,
                                                        std::int64_t timestamp,
                                                        std::size_t bytes_max,
                                                        std::size_t batch_bytes_max,
                                                        sent_record& sent) {
  batch_pointer closed;
  auto outcome = append_outcome::appended;
  {
    const std::lock_guard guard(mutex_);
    if (core_.closed()) return append_outcome::closed;
    if (open_ && open_->builder.size_in_bytes() + bytes_max > open_bytes_max(batch_bytes_max)) {
      closed = close_batch();
    }
    const bool has_room =
        open_ ? reserve(static_cast<std::int64_t>(bytes_max)) : open_batch(bytes_max);
    if (has_room) {
      sent.index = open_->builder.append(timestamp, record.key, record.value, record.headers);
      sent.batch = open_->completion;
      sent.partition = target_.partition;
      sent.timestamp = timestamp;
      if (core_.options().linger_ms == 0 && closed_.empty()) closed = close_batch();
    } else {
      outcome = append_outcome::no_room;
    }
  }
  if (!closed) return outcome;
  encode(closed);
  pump();
  return outcome == append_outcome::appended ? append_outcome::appended_and_closed : outcome;
}

std::size_t partition_queue::open_bytes_max(std::size_t batch_bytes_max) const {
  const producer_options& options = core_.options();
  const bool may_grow = static_cast<std::int32_t>(closed_.size()) >= options.max_in_flight &&
                        options.compression == compression_type::none;
  if (may_grow) return batch_bytes_max;
  return std::min(static_cast<std::size_t>(options.batch_size), batch_bytes_max);
}

// Room in the open batch for so many bytes more.
bool partition_queue::reserve(std::int64_t bytes) {
  const std::int64_t needed = static_cast<std::int64_t>(open_->builder.size_in_bytes()) + bytes;
  if (needed <= open_->reserved) return true;
  std::int64_t more = std::max(needed - open_->reserved, reserve_step);
  if (!core_.memory().try_reserve(more)) {
    more = needed - open_->reserved;
    if (!core_.memory().try_reserve(more)) return false;
  }
  open_->reserved += more;
  return true;
}

bool partition_queue::open_batch(std::size_t bytes_max) {
  const auto needed = static_cast<std::int64_t>(model::batch_header_bytes + bytes_max);
  if (!core_.memory().try_reserve(needed)) return false;
  open_ = std::make_shared<batch>(core_.spare_builders().take(bytes_expected_));
  open_->completion = std::make_shared<batch_completion>(shared_from_core());
  open_->reserved = needed;
  open_->opened = core_.over().time().now();
  core_.batch_opened();
  const std::int64_t linger_ms = core_.options().linger_ms;
  if (linger_ms > 0) {
    core_.over().engine().schedule_at(
        open_->opened + milliseconds(linger_ms),
        [queue = shared_from_core(), lingering = std::weak_ptr<batch>(open_)] {
          batch_pointer closed;
          {
            const std::lock_guard guard(queue->mutex_);
            if (queue->open_ == nullptr || queue->open_ != lingering.lock()) return;
            closed = queue->close_batch();
          }
          queue->encode(closed);
          queue->pump();
        });
  }
  return true;
}

// The caller encodes it next, when it has let go of the mutex.
partition_queue::batch_pointer partition_queue::close_batch() {
  open_->count = open_->builder.count();
  bytes_expected_ = open_->builder.size_in_bytes();
  const bool in_sequence = identity_ && !recovering_ &&
                           (closed_.empty() || closed_.back()->identity.id == identity_->id);
  if (in_sequence) take_sequence(*open_);
  closed_.push_back(std::move(open_));
  open_.reset();
  return closed_.back();
}

// Nobody else touches a batch in this phase, and later ones wait behind it.
void partition_queue::encode(const batch_pointer& closed) {
  finish_bytes(*closed);
  const std::lock_guard guard(mutex_);
  closed->state = phase::queued;
}

void partition_queue::finish_bytes(batch& closed) {
  const compression_type compression = core_.options().compression;
  model::batch_fields fields;
  fields.producer_id = closed.identity.id;
  fields.producer_epoch = closed.identity.epoch;
  fields.base_sequence = closed.base_sequence;
  if (compression != compression_type::none) {
    if (auto records = codec::compress(compression, closed.builder.records()); records.ok()) {
      closed.compressed =
          std::move(closed.builder).finish_compressed(*records, compression, fields);
      closed.bytes = closed.compressed;
      return;
    }  // no memory for the codec: uncompressed is as good for every reader
  }
  closed.bytes = closed.builder.finish_in_place(fields);
}

// After an answer: whether the open batch has waited long enough for more records.
bool partition_queue::should_close() const {
  if (!open_) return false;
  const producer_options& options = core_.options();
  if (static_cast<std::int32_t>(closed_.size()) >= options.max_in_flight) return false;
  if (open_->builder.size_in_bytes() >= static_cast<std::size_t>(options.batch_size)) return true;
  return closed_.empty() && (options.linger_ms == 0 || core_.closed());
}

void partition_queue::send_now() {
  batch_pointer closed;
  {
    const std::lock_guard guard(mutex_);
    if (open_) closed = close_batch();
  }
  if (closed) encode(closed);
  pump();
}

std::shared_ptr<batch_completion> partition_queue::last_unfinished() {
  const std::lock_guard guard(mutex_);
  if (open_) return open_->completion;
  return closed_.empty() ? nullptr : closed_.back()->completion;
}

// ---- sending

void partition_queue::pump() {
  std::unique_lock guard(mutex_);
  if (pumping_) return;
  pumping_ = true;
  while (batch_pointer next = next_to_send()) {
    next->state = phase::in_flight;
    ++in_flight_;
    if (core_.options().enable_idempotence) take_sequence(*next);
    guard.unlock();
    broker::produce_request request = make_request(*next);
    core_.over().broker().produce(std::move(request),
                                  [queue = shared_from_core(), sent = std::move(next)](
                                      result<broker::produce_answer> answer) mutable {
                                    queue->answered(std::move(sent), std::move(answer));
                                  });
    guard.lock();
  }
  pumping_ = false;
}

partition_queue::batch_pointer partition_queue::next_to_send() {
  const producer_options& options = core_.options();
  const std::int32_t in_flight_max = recovering_ ? 1 : options.max_in_flight;
  if (in_flight_ >= in_flight_max) return nullptr;
  const auto next = std::find_if(closed_.begin(), closed_.end(), [](const batch_pointer& each) {
    return each->state == phase::queued || each->state == phase::encoding;
  });
  if (next == closed_.end() || (*next)->state == phase::encoding) return nullptr;
  if (retry_at_) {
    if (core_.over().time().now() < *retry_at_) return nullptr;  // a timer goes on
    retry_at_.reset();
  }
  if (options.enable_idempotence && !identity_) {
    if (!identity_asked_) {
      identity_asked_ = true;
      core_.over().engine().post([queue = shared_from_core(), fresh = had_identity_] {
        queue->core_.ask_identity(*queue, fresh);
      });
    }
    return nullptr;
  }
  return *next;
}

// A batch keeps its numbers over resends, unless the id they belong to was given up.
void partition_queue::take_sequence(batch& next) {
  if (next.identity.id == identity_->id) return;
  next.identity = *identity_;
  next.base_sequence = next_sequence_;
  next_sequence_ = model::increment_sequence(next_sequence_, next.count);
  if (!next.bytes.empty()) {  // encoded already, with another id or none
    model::stamp_producer(next.bytes, next.identity.id, next.identity.epoch, next.base_sequence);
  }
}

// The failed batch leaves a gap in the sequence, or nobody knows whether it was appended: later
// ones go on under another id, when the ones in flight are through.
void partition_queue::give_up_identity(const batch& failed) {
  if (!identity_ || failed.identity.id != identity_->id) return;
  identity_.reset();
  recovering_ = true;
}

broker::produce_request partition_queue::make_request(const batch& next) const {
  const producer_options& options = core_.options();
  broker::produce_request request;
  request.target = target_;
  request.batches = to_buffer(next.bytes);
  request.acks = options.acks;
  request.timeout_ms = options.request_timeout_ms;
  request.trusted = true;
  return request;
}

// ---- outcomes

void partition_queue::answered(batch_pointer which, result<broker::produce_answer> answer) {
  {
    const std::lock_guard guard(mutex_);
    --in_flight_;
    if (answer.ok()) {
      which->state = phase::answered;
      which->answer = *answer;
      recovering_ = recovering_ && core_.options().enable_idempotence && !identity_;
    } else {
      failed(*which, std::move(answer.failure()));
    }
  }
  which.reset();
  deliver();
  pump();
}

void partition_queue::failed(batch& which, error failure) {
  if (failure.code == error_code::timed_out) which.may_be_there = true;
  if (is_passing(failure.code) && !which.completion->done() && may_try_again(which)) {
    which.last_failure = std::move(failure);
    try_again_later(which);
    return;
  }
  if (failure.code == error_code::duplicate_sequence) {  // it is there, its offset forgotten
    which.state = phase::answered;
    return;
  }
  if (core_.options().enable_idempotence && breaks_sequence(failure.code) && !which.may_be_there &&
      !which.completion->done()) {
    const bool is_oldest = closed_.front().get() == &which;
    if (is_oldest) give_up_identity(which);
    try_again_later(which);
    return;
  }
  give_up_identity(which);
  which.state = phase::answered;
  which.failure = std::move(failure).with_context(target_.to_string());
}

bool partition_queue::may_try_again(batch& which) {
  return which.tries++ < core_.options().retries;
}

void partition_queue::try_again_later(batch& which) {
  which.state = phase::queued;
  recovering_ = true;
  retry_at_ = core_.over().time().now() + milliseconds(core_.options().retry_backoff_ms);
  core_.over().engine().schedule_at(*retry_at_, [queue = shared_from_core()] { queue->pump(); });
}

// Gives the oldest batches their outcomes, in order, outside the lock. A batch is let go of first:
// its caller may be at the next one at once, and finds the allocator at rest.
void partition_queue::deliver() {
  std::unique_lock guard(mutex_);
  if (delivering_) return;
  delivering_ = true;
  while (!closed_.empty() && closed_.front()->state == phase::answered) {
    batch_pointer done = std::move(closed_.front());
    closed_.pop_front();
    const batch_pointer closed = should_close() ? close_batch() : nullptr;
    guard.unlock();
    if (closed) encode(closed);
    core_.memory().release(done->reserved);
    core_.spare_builders().give(std::move(done->builder));
    const auto completion = std::move(done->completion);
    std::optional<error> failure = std::move(done->failure);
    const broker::produce_answer answer = done->answer;
    done.reset();
    if (failure) {
      completion->fail(*std::move(failure));
    } else {
      const bool acknowledged = core_.options().acks != broker::required_acks::none;
      completion->complete(acknowledged ? answer.base_offset : no_offset,
                           answer.log_append_timestamp);
    }
    core_.batch_finished();
    guard.lock();
  }
  delivering_ = false;
}

void partition_queue::expire(monotonic_time opened_before, const error& failure) {
  std::vector<std::pair<std::shared_ptr<batch_completion>, error>> expired;
  {
    const std::lock_guard guard(mutex_);
    if (open_ && open_->opened < opened_before) close_batch()->state = phase::queued;
    for (const batch_pointer& each : closed_) {
      if (each->state == phase::answered || each->opened >= opened_before) continue;
      error why = failure;
      if (each->last_failure) why.message += ": " + each->last_failure->message;
      expired.emplace_back(each->completion, std::move(why));
      if (each->state != phase::queued) continue;
      give_up_identity(*each);
      each->state = phase::answered;
      each->failure = failure;
    }
  }
  for (const auto& [completion, why] : expired) {
    completion->fail(error(why).with_context(target_.to_string()));
  }
  deliver();
  pump();
}

void partition_queue::set_identity(const broker::producer_identity& identity) {
  {
    const std::lock_guard guard(mutex_);
    identity_ = identity;
    identity_asked_ = false;
    had_identity_ = true;
    next_sequence_ = 0;
  }
  pump();
}

void partition_queue::refuse_identity(const error& failure) {
  {
    const std::lock_guard guard(mutex_);
    identity_asked_ = false;
    for (const batch_pointer& each : closed_) {
      if (each->state != phase::queued) continue;
      if (is_passing(failure.code)) {
        try_again_later(*each);
        continue;
      }
      each->state = phase::answered;
      each->failure = error(failure).with_context("no producer id");
    }
  }
  deliver();
  pump();
}

}  // namespace ringlog::client
