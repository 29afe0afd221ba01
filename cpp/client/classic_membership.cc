#include "client/classic_membership.h"

#include <set>
#include <utility>

#include "client/consumer_protocol.h"

namespace ringlog::client {
namespace {

// Failures after which the same request, or a new join, can succeed.
bool forgets_member(error_code code) {
  return code == error_code::unknown_member_id || code == error_code::illegal_generation;
}
bool heals_by_itself(error_code code) {
  switch (code) {
    case error_code::coordinator_loading:
    case error_code::coordinator_not_available:
    case error_code::not_coordinator:
    case error_code::rebalance_in_progress:
    case error_code::timed_out:
      return true;
    default:
      return forgets_member(code);
  }
}

result<std::vector<broker::member_assignment>> assign_all(
    const std::string& protocol, const std::vector<assignor_member>& members,
    const partition_counts& counts) {
  TRY_ASSIGN(const assignments shares, assign(protocol, members, counts));
  std::vector<broker::member_assignment> encoded;
  for (const auto& [member, partitions] : shares) {
    encoded.push_back({member, encode_assignment(partitions)});
  }
  return encoded;
}

}  // namespace

classic_membership::classic_membership(std::shared_ptr<transport> over,
                                       const consumer_options& options,
                                       std::function<void()> changed)
    : over_(std::move(over)), options_(options), changed_(std::move(changed)) {}

// While a join is under way the topics are used for the next one, which needs_join_ asks for.
void classic_membership::subscribe(group_subscription wanted) {
  const std::lock_guard guard(mutex_);
  topics_ = std::move(wanted.topics);
  needs_join_ = true;
}

result<std::optional<group_step>> classic_membership::next_step() {
  using kind = group_step::kind;
  bool joins = false;
  {
    const std::lock_guard guard(mutex_);
    const bool failed = outcome_ && !outcome_->ok();
    if (holds_share_ && needs_join_ && !failed) {
      return std::optional(group_step{lost_ ? kind::lose : kind::revoke, {}});
    }
    joins = needs_join_ && !failed;
  }
  if (joins) start_join();
  const std::lock_guard guard(mutex_);
  auto end = std::exchange(outcome_, std::nullopt);
  if (!end) return std::optional<group_step>();
  if (!end->ok()) return std::move(end->failure());
  return std::optional(group_step{kind::assign, std::move(**end)});
}

void classic_membership::step_made(const group_step& step) {
  const std::lock_guard guard(mutex_);
  holds_share_ = step.what == group_step::kind::assign;
}

bool classic_membership::is_settled() const {
  const std::lock_guard guard(mutex_);
  return holds_share_;
}

bool classic_membership::is_lost() const {
  const std::lock_guard guard(mutex_);
  return lost_;
}

void classic_membership::start_join() {
  std::uint64_t attempt = 0;
  {
    const std::lock_guard guard(mutex_);
    if (phase_ == phase::joining || phase_ == phase::syncing) return;
    needs_join_ = false;
    lost_ = false;
    outcome_.reset();
    phase_ = phase::joining;
    attempt = ++attempt_;
  }
  send_join(attempt);
}

void classic_membership::send_join(std::uint64_t attempt) {
  broker::join_group_request request;
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    request.group = *options_.group_id;
    request.member = member_;
    const byte_buffer subscription = encode_subscription(topics_);
    for (const std::string& name : options_.assignors) {
      request.protocols.push_back({name, subscription});
    }
  }
  request.instance = options_.group_instance_id;
  request.client_id = options_.client_id;
  request.client_host = "/127.0.0.1";
  request.protocol_type = "consumer";
  request.session_timeout_ms = options_.session_timeout_ms;
  request.rebalance_timeout_ms = options_.max_poll_interval_ms;
  request.member_id_required = true;
  over_->broker().join_group(std::move(request), [self = shared_from_this(), attempt](auto answer) {
    self->on_joined(attempt, std::move(answer));
  });
}

void classic_membership::on_joined(std::uint64_t attempt,
                                   result<broker::join_group_answer> answer) {
  if (!answer.ok()) {
    const error_code code = answer.code();
    if (heals_by_itself(code)) return retry_join(attempt, forgets_member(code), false);
    return finish(attempt, std::move(answer.failure()));
  }
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    member_ = answer->member;
    if (!answer->member_id_required) {
      generation_ = answer->generation;
      protocol_ = answer->protocol;
      phase_ = phase::syncing;
    }
  }
  if (answer->member_id_required) return send_join(attempt);
  if (answer->leader == answer->member && !answer->skip_assignment) return lead(attempt, *answer);
  send_sync(attempt, *answer, {});
}

// Asks for the topics that all members want; then the partitions are dealt out.
void classic_membership::lead(std::uint64_t attempt, const broker::join_group_answer& joined) {
  std::vector<assignor_member> members;
  std::set<std::string> topics;
  for (const broker::joined_member& each : joined.members) {
    auto wanted = decode_subscription(each.metadata);
    if (!wanted.ok()) return finish(attempt, std::move(wanted.failure()));
    topics.insert(wanted->begin(), wanted->end());
    members.push_back({each.member, each.instance, std::move(*wanted)});
  }
  // The version first: a change between the two look-ups then shows as a change, never as none.
  const std::uint64_t version = over_->broker().metadata_version();
  over_->broker().look_up_topics(std::vector(topics.begin(), topics.end()),
                                 [self = shared_from_this(), attempt, joined, topics, version,
                                  members = std::move(members)](auto found) mutable {
                                   if (!found.ok()) {
                                     if (heals_by_itself(found.code()))
                                       return self->retry_join(attempt, false, false);
                                     return self->finish(attempt, std::move(found.failure()));
                                   }
                                   partition_counts counts;
                                   for (const broker::topic_description& topic : *found) {
                                     counts[topic.name] =
                                         static_cast<std::int32_t>(topic.partitions.size());
                                   }
                                   self->watch(topics, counts, version);
                                   auto assigned = assign_all(joined.protocol, members, counts);
                                   if (!assigned.ok())
                                     return self->finish(attempt, std::move(assigned.failure()));
                                   self->send_sync(attempt, joined, std::move(*assigned));
                                 });
}

// What the assignment was made from, to see when it changes.
void classic_membership::watch(const std::set<std::string>& topics, const partition_counts& counts,
                               std::uint64_t version) {
  const std::lock_guard guard(mutex_);
  watched_.emplace();
  for (const std::string& topic : topics) (*watched_)[topic] = 0;
  for (const auto& [topic, count] : counts) (*watched_)[topic] = count;
  watched_version_ = version;
}

void classic_membership::send_sync(std::uint64_t attempt, const broker::join_group_answer& joined,
                                   std::vector<broker::member_assignment> shares) {
  broker::sync_group_request request;
  request.assignments = std::move(shares);
  request.group = *options_.group_id;
  request.generation = joined.generation;
  request.member = joined.member;
  request.instance = options_.group_instance_id;
  request.protocol_type = "consumer";
  request.protocol = joined.protocol;
  over_->broker().sync_group(std::move(request), [self = shared_from_this(), attempt](auto answer) {
    self->on_synced(attempt, std::move(answer));
  });
}

void classic_membership::on_synced(std::uint64_t attempt,
                                   result<broker::sync_group_answer> answer) {
  if (!answer.ok()) {
    const error_code code = answer.code();
    const bool again = code == error_code::rebalance_in_progress;
    if (heals_by_itself(code)) return retry_join(attempt, forgets_member(code), again);
    return finish(attempt, std::move(answer.failure()));
  }
  auto partitions = decode_assignment(answer->assignment);
  if (!partitions.ok()) return finish(attempt, std::move(partitions.failure()));
  finish(attempt, std::move(*partitions));
}

void classic_membership::retry_join(std::uint64_t attempt, bool forget_member, bool at_once) {
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    phase_ = phase::joining;
    watched_.reset();
    if (forget_member) {
      member_.clear();
      generation_ = -1;
    }
  }
  if (at_once) return send_join(attempt);
  over_->engine().schedule_at(over_->time().now() + milliseconds(options_.retry_backoff_ms),
                              [self = shared_from_this(), attempt] { self->send_join(attempt); });
}

void classic_membership::finish(std::uint64_t attempt, outcome end) {
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_) return;
    phase_ = end.ok() ? phase::stable : phase::out;
    if (!end.ok()) needs_join_ = true;
    outcome_.emplace(std::move(end));
    polls_.start(over_->time().now());
  }
  schedule_heartbeat(attempt);
  changed_();
}

void classic_membership::schedule_heartbeat(std::uint64_t attempt) {
  over_->engine().schedule_at(over_->time().now() + milliseconds(options_.heartbeat_interval_ms),
                              [self = shared_from_this(), attempt] { self->beat(attempt); });
}

void classic_membership::beat(std::uint64_t attempt) {
  broker::group_member_identity from;
  bool idle = false;
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_ || phase_ != phase::stable) return;
    idle = polls_.idle_for(milliseconds(options_.max_poll_interval_ms), over_->time().now());
    from = {*options_.group_id, generation_, member_, options_.group_instance_id};
  }
  if (idle) {
    over_->log().log(log_level::warning,
                     "consumer {} of group {} did not poll for more than max_poll_interval_ms={}: "
                     "it leaves the group, its partitions go to others",
                     from.member, from.group, options_.max_poll_interval_ms);
    send_leave([] {});
    return mark_rejoin(true);
  }
  watch_topics();
  over_->broker().heartbeat(std::move(from), [self = shared_from_this(), attempt](auto answer) {
    self->on_beat(attempt, answer.ok() ? status() : status(std::move(answer.failure())));
  });
}

void classic_membership::on_beat(std::uint64_t attempt, const status& answer) {
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_ || phase_ != phase::stable) return;
    if (!answer.ok() && forgets_member(answer.code())) {
      member_.clear();
      generation_ = -1;
    }
  }
  if (!answer.ok()) {
    if (answer.code() == error_code::fenced_instance_id) {
      mark_rejoin(true);
      return finish(attempt, answer.failure());
    }
    if (forgets_member(answer.code())) return mark_rejoin(true);
    if (answer.code() == error_code::rebalance_in_progress) mark_rejoin(false);
  }
  // While a rebalance waits for the caller the heart goes on beating: that keeps the session.
  schedule_heartbeat(attempt);
}

// As leader: topics that were made, removed or grown since the assignment ask for a new one.
void classic_membership::watch_topics() {
  std::vector<std::string> topics;
  const std::uint64_t version = over_->broker().metadata_version();
  {
    const std::lock_guard guard(mutex_);
    if (!watched_ || watched_version_ == version) return;
    watched_version_ = version;
    for (const auto& [topic, count] : *watched_) topics.push_back(topic);
  }
  partition_counts now = count_partitions(topics);
  for (const std::string& topic : topics) now.try_emplace(topic, 0);
  bool differs = false;
  {
    const std::lock_guard guard(mutex_);
    differs = watched_ && *watched_ != now;
  }
  if (differs) mark_rejoin(false);
}

void classic_membership::mark_rejoin(bool lost) {
  {
    const std::lock_guard guard(mutex_);
    if (lost) lost_ = true;
    needs_join_ = true;
  }
  changed_();
}

broker::group_member_identity classic_membership::identity() const {
  const std::lock_guard guard(mutex_);
  const bool member = phase_ != phase::out;
  return {*options_.group_id, member ? generation_ : -1, member ? member_ : std::string(),
          options_.group_instance_id};
}

void classic_membership::leave(callback<void()> done) {
  {
    const std::lock_guard guard(mutex_);
    holds_share_ = false;
  }
  send_leave(std::move(done));
}

void classic_membership::send_leave(callback<void()> done) {
  broker::leaving_member leaving;
  {
    const std::lock_guard guard(mutex_);
    ++attempt_;
    phase_ = phase::out;
    generation_ = -1;
    watched_.reset();
    outcome_.reset();
    needs_join_ = true;
    leaving.member = std::exchange(member_, std::string());
  }
  if (leaving.member.empty() || options_.group_instance_id) return done();
  over_->broker().leave_group(*options_.group_id, {std::move(leaving)},
                              [done = std::move(done)](auto) mutable { done(); });
}

partition_counts classic_membership::count_partitions(
    const std::vector<std::string>& topics) const {
  partition_counts counts;
  for (const std::string& topic : topics) {
    if (const auto found = over_->broker().find_topic(topic)) {
      counts[topic] = static_cast<std::int32_t>(found->partitions.size());
    }
  }
  return counts;
}

}  // namespace ringlog::client
