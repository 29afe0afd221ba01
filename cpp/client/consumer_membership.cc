#include "client/consumer_membership.h"

#include <algorithm>
#include <utility>

namespace ringlog::client {
namespace {

using broker::partitions_by_topic;

partitions_by_topic in_both(const partitions_by_topic& one, const partitions_by_topic& other) {
  partitions_by_topic both;
  for (const auto& [topic, partitions] : one) {
    const auto found = other.find(topic);
    if (found == other.end()) continue;
    for (const std::int32_t partition : partitions) {
      if (found->second.contains(partition)) both[topic].insert(partition);
    }
  }
  return both;
}

}  // namespace

consumer_membership::consumer_membership(std::shared_ptr<transport> over,
                                         const consumer_options& options,
                                         std::function<void()> changed)
    : over_(std::move(over)),
      options_(options),
      changed_(std::move(changed)),
      member_(uuid::make_random(over_->random()).to_string()) {}

void consumer_membership::subscribe(group_subscription wanted) {
  std::sort(wanted.topics.begin(), wanted.topics.end());
  {
    const std::lock_guard guard(mutex_);
    if (wanted_ == wanted) return;
    wanted_ = std::move(wanted);
    ++subscription_;
    answers_ = 0;
  }
  beat();
}

// ---- steps ---------------------------------------------------------------------------------

result<std::optional<group_step>> consumer_membership::next_step() {
  bool joins = false;
  {
    const std::lock_guard guard(mutex_);
    if (phase_ == phase::lost) {
      step_.reset();
      return std::optional(group_step{group_step::kind::lose, {}});
    }
    if (failure_) return *std::exchange(failure_, std::nullopt);
    joins = phase_ == phase::out && wanted_;
  }
  if (joins) join();
  const std::lock_guard guard(mutex_);
  return step_towards_target();
}

// What goes, goes first: it stays this member's until a heartbeat says that it is given back.
std::optional<group_step> consumer_membership::step_towards_target() {
  if (!is_in() || !target_ || is_reconciled_) return std::nullopt;
  const partitions_by_topic kept = held_ ? in_both(*held_, *target_) : partitions_by_topic();
  const bool gives_up = held_ && kept != *held_;
  step_ = gives_up ? kept : *target_;
  return group_step{gives_up ? group_step::kind::revoke : group_step::kind::assign, named(*step_)};
}

void consumer_membership::step_made(const group_step& step) {
  {
    const std::lock_guard guard(mutex_);
    if (step.what == group_step::kind::lose) {
      held_.reset();
      if (phase_ == phase::lost) phase_ = phase::out;
      return;
    }
    held_ = std::exchange(step_, std::nullopt);
    if (step.what == group_step::kind::revoke) return;
    is_reconciled_ = held_ == target_;
  }
  beat();  // the coordinator waits to hear of it
}

bool consumer_membership::is_settled() const {
  const std::lock_guard guard(mutex_);
  return settled();
}

// With the mutex held.
bool consumer_membership::settled() const {
  return phase_ == phase::member && held_ && answered_subscription_ == subscription_ && !seeks();
}

// With the mutex held.
bool consumer_membership::seeks() const {
  return (!held_ || held_->empty()) && answers_ < 2 + early_heartbeats;  // 2: join, and be heard
}

bool consumer_membership::is_lost() const {
  const std::lock_guard guard(mutex_);
  return phase_ == phase::lost;
}

broker::group_member_identity consumer_membership::identity() const {
  const std::lock_guard guard(mutex_);
  const bool member = phase_ == phase::member;
  return {*options_.group_id, member ? epoch_ : -1, member ? member_ : std::string(),
          options_.group_instance_id};
}

// ---- names of topics -----------------------------------------------------------------------

std::vector<topic_partition> consumer_membership::named(
    const partitions_by_topic& partitions) const {
  std::vector<topic_partition> all;
  for (const auto& [topic, numbers] : partitions) {
    for (const std::int32_t number : numbers) {
      all.push_back({topic_names_.at(topic), partition_id_t(number)});
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

// True when no name is missing. With the mutex held.
bool consumer_membership::aim_at_known_topics() {
  partitions_by_topic known;
  for (const auto& [topic, partitions] : assigned_) {
    if (topic_names_.contains(topic)) known[topic] = partitions;
  }
  const bool all = known.size() == assigned_.size();
  if (all || !known.empty()) {
    is_reconciled_ = is_reconciled_ && target_ == known;
    target_ = std::move(known);
  }
  return all;
}

// Assignments name topics by their ids.
void consumer_membership::look_topics_up(std::uint64_t attempt, std::uint64_t assignment) {
  std::optional<std::vector<std::string>> names;
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_ || assignment != assignment_) return;
    if (!wanted_->expression) names = wanted_->topics;
  }
  over_->broker().look_up_topics(
      std::move(names), [self = shared_from_this(), attempt, assignment](const auto& found) {
        self->take_topics(attempt, assignment, found);
      });
}

void consumer_membership::take_topics(std::uint64_t attempt, std::uint64_t assignment,
                                      const result<std::vector<broker::topic_description>>& found) {
  bool is_complete = false;
  {
    const std::lock_guard guard(mutex_);
    if (attempt != attempt_ || assignment != assignment_) return;
    if (found.ok()) {
      for (const broker::topic_description& topic : *found) {
        if (assigned_.contains(topic.id)) topic_names_[topic.id] = topic.name;
      }
    }
    is_complete = aim_at_known_topics();
  }
  changed_();
  if (is_complete) return;
  // A topic that is not known here yet, or that is gone: then another assignment will come.
  over_->engine().schedule_at(over_->time().now() + milliseconds(options_.retry_backoff_ms),
                              [self = shared_from_this(), attempt, assignment] {
                                self->look_topics_up(attempt, assignment);
                              });
}

}  // namespace ringlog::client
