// The heartbeats of a member of a consumer group.

#include <algorithm>
#include <utility>

#include "client/consumer_membership.h"

namespace ringlog::client {
namespace {

// The coordinator may answer the next heartbeat.
bool heals_by_itself(error_code code) {
  switch (code) {
    case error_code::coordinator_loading:
    case error_code::coordinator_not_available:
    case error_code::not_coordinator:
    case error_code::not_leader:
    case error_code::timed_out:
      return true;
    default:
      return false;
  }
}

// This is no member any more, but may become one.
bool throws_out(error_code code, bool is_member) {
  switch (code) {
    case broker::consumer_failures::fenced_member_epoch:
    case error_code::unknown_member_id:
      return true;
    case error_code::group_id_not_found:  // joining, it means that the group is of another kind
      return is_member;
    default:
      return false;
  }
}

error explained(error failure, const std::string& group) {
  if (failure.code == error_code::unsupported) {
    failure.message +=
        "; group_protocol='consumer' needs brokers that serve ConsumerGroupHeartbeat and have the "
        "feature group.version 1 (Apache Kafka 4.0); group_protocol='classic' works everywhere";
  }
  if (failure.code == broker::consumer_failures::invalid_regular_expression) {
    failure.code = error_code::invalid_argument;
  }
  return std::move(failure).with_context("membership of group " + group);
}

}  // namespace

void consumer_membership::join() {
  {
    const std::lock_guard guard(mutex_);
    ++attempt_;
    phase_ = phase::joining;
    epoch_ = broker::joining_epoch;
    assigned_.clear();
    target_.reset();
    held_.reset();
    is_reconciled_ = false;
    told_.reset();
    answers_ = 0;
    is_under_way_ = false;
    polls_.start(over_->time().now());
  }
  beat();
}

// Now, or as soon as the one that is under way has been answered.
void consumer_membership::beat() {
  broker::consumer_heartbeat_request request;
  std::uint64_t attempt = 0;
  std::uint64_t subscription = 0;
  {
    const std::lock_guard guard(mutex_);
    if (!is_in()) return;
    is_wanted_ = is_under_way_;
    if (is_under_way_) return;
    is_under_way_ = true;
    ++timer_;
    request = next_heartbeat();
    attempt = attempt_;
    subscription = subscription_;
  }
  over_->broker().consumer_heartbeat(
      std::move(request), [self = shared_from_this(), attempt, subscription](const auto& answer) {
        self->on_answer(attempt, subscription, answer);
      });
}

void consumer_membership::beat_after(milliseconds distance, std::uint64_t attempt) {
  std::uint64_t timer = 0;
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    timer = ++timer_;
  }
  over_->engine().schedule_at(
      over_->time().now() + distance,
      [self = shared_from_this(), attempt, timer] { self->on_timer(attempt, timer); });
}

void consumer_membership::on_timer(std::uint64_t attempt, std::uint64_t timer) {
  bool is_idle = false;
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_ || timer != timer_) return;
    is_idle = polls_.idle_for(milliseconds(options_.max_poll_interval_ms), over_->time().now());
    if (is_idle) {
      ++attempt_;
      phase_ = phase::lost;
    }
  }
  if (!is_idle) return beat();
  over_->log().log(log_level::warning,
                   "consumer {} of group {} did not poll for more than max_poll_interval_ms={}: it "
                   "leaves the group, its partitions go to others",
                   member_, *options_.group_id, options_.max_poll_interval_ms);
  send_leave([] {});
  changed_();
}

// ---- what is said --------------------------------------------------------------------------

broker::consumer_heartbeat_request consumer_membership::request_of_member() const {
  broker::consumer_heartbeat_request request;
  request.group = *options_.group_id;
  request.member = member_;
  request.instance = options_.group_instance_id;
  request.client_id = options_.client_id;
  request.client_host = "/127.0.0.1";
  return request;
}

// With the mutex held.
broker::consumer_heartbeat_request consumer_membership::next_heartbeat() {
  broker::consumer_heartbeat_request request = request_of_member();
  request.epoch = epoch_;
  const told now{*wanted_, held_.value_or(partitions_by_topic())};
  if (!told_) {
    request.rebalance_timeout_ms = static_cast<std::int32_t>(options_.max_poll_interval_ms);
    request.assignor = options_.remote_assignor;
  }
  if (!told_ || told_->subscription.topics != now.subscription.topics) {
    request.topics = now.subscription.topics;
  }
  if (!told_ || told_->subscription.expression != now.subscription.expression) {
    request.topic_expression = now.subscription.expression;
    if (!request.topic_expression && has_told_expression_) request.topic_expression = "";
    if (request.topic_expression) has_told_expression_ = true;
  }
  if (!told_ || told_->held != now.held) request.owned = now.held;
  told_ = now;
  return request;
}

// ---- what is answered ----------------------------------------------------------------------

void consumer_membership::on_answer(std::uint64_t attempt, std::uint64_t subscription,
                                    const result<broker::consumer_heartbeat_answer>& answer) {
  if (!answer.ok()) return on_failure(attempt, answer.failure());
  bool has_news = false;
  bool lacks_names = false;
  bool at_once = false;
  std::uint64_t assignment = 0;
  milliseconds until_next(answer->heartbeat_interval_ms);
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    has_news = !settled();
    is_under_way_ = false;
    ++answers_;
    phase_ = phase::member;
    epoch_ = answer->epoch;
    answered_subscription_ = subscription;
    if (answer->assignment) {
      has_news = true;
      assigned_ = *answer->assignment;
      ++assignment_;
      lacks_names = !aim_at_known_topics();
    }
    assignment = assignment_;
    at_once = std::exchange(is_wanted_, false);
    if (seeks()) until_next /= early_heartbeats;
  }
  if (lacks_names) look_topics_up(attempt, assignment);
  at_once ? beat() : beat_after(until_next, attempt);
  if (has_news) changed_();
}

void consumer_membership::on_failure(std::uint64_t attempt, error failure) {
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    is_under_way_ = false;
    is_wanted_ = false;
    told_.reset();  // whether it came there is not known
    if (!heals_by_itself(failure.code)) {
      if (!throws_out(failure.code, phase_ == phase::member)) {
        failure_ = explained(failure, *options_.group_id);
      }
      ++attempt_;
      phase_ = phase::lost;
    }
  }
  if (heals_by_itself(failure.code)) {
    return beat_after(milliseconds(options_.retry_backoff_ms), attempt);
  }
  over_->log().log(log_level::info, "consumer {} is no member of group {} any more: {}", member_,
                   *options_.group_id, failure.message);
  changed_();
}

// ---- the end -------------------------------------------------------------------------------

void consumer_membership::leave(callback<void()> done) {
  bool was_in = false;
  {
    const std::lock_guard guard(mutex_);
    was_in = is_in();
    ++attempt_;
    phase_ = phase::out;
    wanted_.reset();
    held_.reset();
    failure_.reset();
  }
  was_in ? send_leave(std::move(done)) : done();
}

void consumer_membership::send_leave(callback<void()> done) {
  broker::consumer_heartbeat_request request = request_of_member();
  request.epoch =
      options_.group_instance_id ? broker::leaving_for_a_while_epoch : broker::leaving_epoch;
  over_->broker().consumer_heartbeat(std::move(request),
                                     [done = std::move(done)](const auto&) mutable { done(); });
}

}  // namespace ringlog::client
