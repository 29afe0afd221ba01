#include "broker/partition.h"

#include <utility>
#include <vector>

namespace ringlog::broker {

partition::partition(std::shared_ptr<storage::partition_log> log, broker_services outside,
                     std::shared_ptr<room_queue> no_room)
    : log_(std::move(log)), outside_(outside), no_room_(std::move(no_room)) {}

// The log has one listener: who never listened must not silence who does.
partition::~partition() {
  if (listening_) log_->set_high_watermark_listener(nullptr);
}

void partition::start() {
  listening_ = true;
  log_->set_high_watermark_listener([weak = weak_from_this()](offset_t) {
    if (const auto self = weak.lock()) self->wake_all();
  });
}

void partition::append_as_leader(append request) {
  lead_state state;
  leader_epoch_t epoch{no_leader_epoch};
  {
    const std::lock_guard guard(mutex_);
    state = lead_state_;
    epoch = epoch_;
    if (state == lead_state::epoch_unknown) lead_state_ = lead_state::queueing;
    if (lead_state_ == lead_state::queueing) queue_.push_back(std::move(request));
  }
  if (state == lead_state::closed) return request.done(*this, why_closed_);
  if (state == lead_state::epoch_unknown) return raise_epoch();
  if (state == lead_state::queueing) return;

  if (auto appended = try_append(request, epoch)) return request.done(*this, std::move(*appended));
  bool first_without_room = false;
  {
    const std::lock_guard guard(mutex_);
    first_without_room = lead_state_ == lead_state::leading;
    if (first_without_room) lead_state_ = lead_state::queueing;
    if (lead_state_ == lead_state::queueing) queue_.push_back(std::move(request));
    state = lead_state_;
  }
  if (state == lead_state::closed) return request.done(*this, why_closed_);
  if (first_without_room) drain_later();
}

std::optional<result<storage::append_info>> partition::try_append(append& request,
                                                                  leader_epoch_t epoch) {
  auto appended =
      log_->append_as_leader(std::move(request.batches), {epoch, request.origin, request.trusted});
  const bool no_room = !appended.ok() && appended.code() == error_code::no_memory;
  if (no_room && outside_.time.now() < request.deadline) return std::nullopt;
  return appended;
}

void partition::raise_epoch() {
  outside_.controller.raise_leader_epoch(log_->topic_id(), name().partition,
                                         [weak = weak_from_this()](result<leader_epoch_t> raised) {
                                           if (const auto self = weak.lock())
                                             self->epoch_raised(raised);
                                         });
}

void partition::epoch_raised(const result<leader_epoch_t>& raised) {
  std::deque<append> refused;
  {
    const std::lock_guard guard(mutex_);
    if (lead_state_ == lead_state::closed) return;
    if (raised.ok()) {
      epoch_ = *raised;
    } else {
      lead_state_ = lead_state::epoch_unknown;  // the next append tries again
      refused.swap(queue_);
    }
  }
  for (append& request : refused) request.done(*this, raised.failure());
  if (raised.ok() && !drain()) drain_later();
}

bool partition::drain() {
  for (;;) {
    append request;
    leader_epoch_t epoch{no_leader_epoch};
    {
      const std::lock_guard guard(mutex_);
      if (lead_state_ != lead_state::queueing) return true;
      if (queue_.empty()) {
        lead_state_ = lead_state::leading;
        return true;
      }
      request = std::move(queue_.front());
      queue_.pop_front();
      epoch = epoch_;
    }
    if (auto appended = try_append(request, epoch)) {
      request.done(*this, std::move(*appended));
      continue;
    }
    {
      const std::lock_guard guard(mutex_);
      if (lead_state_ == lead_state::queueing) {
        queue_.push_front(std::move(request));
        return false;
      }
    }
    request.done(*this, why_closed_);
    return true;
  }
}

void partition::drain_later() {
  no_room_->wait([weak = weak_from_this()] {
    const auto self = weak.lock();
    return self == nullptr || self->drain();
  });
}

partition::waiter_id partition::add_waiter(std::shared_ptr<task> wake) {
  const std::lock_guard guard(mutex_);
  waiters_.emplace(++last_waiter_, std::move(wake));
  return last_waiter_;
}

void partition::remove_waiter(waiter_id id) {
  const std::lock_guard guard(mutex_);
  waiters_.erase(id);
}

void partition::wake_all() {
  std::vector<std::shared_ptr<task>> woken;
  {
    const std::lock_guard guard(mutex_);
    for (const auto& [id, wake] : waiters_) woken.push_back(wake);
  }
  for (const auto& wake : woken) (*wake)();
}

void partition::close(const error& why) {
  std::deque<append> refused;
  {
    const std::lock_guard guard(mutex_);
    if (lead_state_ == lead_state::closed) return;
    lead_state_ = lead_state::closed;
    why_closed_ = why;
    refused.swap(queue_);
  }
  for (append& request : refused) request.done(*this, why);
  wake_all();
}

}  // namespace ringlog::broker
