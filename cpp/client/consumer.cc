#include "client/consumer.h"

#include <algorithm>
#include <utility>

namespace ringlog::client {

std::shared_ptr<consumer> consumer::make(std::shared_ptr<transport> over,
                                         consumer_options options) {
  std::shared_ptr<consumer> made(new consumer(std::move(over), std::move(options)));
  if (made->options_.group_id) {
    made->member_ =
        group_membership::make(made->over_, made->options_, [weak = made->weak_from_this()] {
          if (const auto self = weak.lock()) self->attend(rebalance);
        });
    if (made->options_.enable_auto_commit) made->tick_auto_commit();
  }
  return made;
}

consumer::consumer(std::shared_ptr<transport> over, consumer_options options)
    : over_(std::move(over)),
      options_(std::move(options)),
      positions_(*over_, options_),
      fetched_(options_) {}

consumer::~consumer() = default;

// ---- what to read --------------------------------------------------------------------------

status consumer::subscribe(std::vector<std::string> topics) {
  if (!topics_ && !assigned_.empty()) {
    return make_error(error_code::invalid_argument,
                      "partitions are assigned by hand: unsubscribe() before subscribe()");
  }
  filter_ = nullptr;
  const bool was_expression = std::exchange(expression_, std::nullopt).has_value();
  std::set<std::string> wanted(std::make_move_iterator(topics.begin()),
                               std::make_move_iterator(topics.end()));
  if (topics_ && *topics_ == wanted && !was_expression) return {};
  topics_ = std::move(wanted);
  learned_of_.clear();
  learning_.forget();
  topics_seen_ = 0;
  subscription_changed_ = true;
  return {};
}

status consumer::subscribe_by(topic_filter filter) {
  TRY(subscribe({}));
  filter_ = std::move(filter);
  topics_seen_ = 0;
  return {};
}

status consumer::subscribe_to(std::string expression) {
  if (!options_.group_id || options_.protocol != group_protocol::consumer) {
    return make_error(error_code::invalid_argument,
                      "an expression for the broker needs a group_id and group_protocol "
                      "'consumer'; otherwise subscribe by a pattern");
  }
  TRY(subscribe({}));
  expression_ = std::move(expression);
  subscription_changed_ = true;
  return {};
}

status consumer::assign(const std::vector<topic_partition>& partitions) {
  if (topics_) {
    return make_error(error_code::invalid_argument,
                      "topics are subscribed to: unsubscribe() before assign()");
  }
  std::vector<reading> next;
  for (const topic_partition& source : partitions) {
    const auto same = [&](const reading& other) { return other->source == source; };
    if (std::any_of(next.begin(), next.end(), same)) continue;
    reading kept = find(source);  // keeps its position
    next.push_back(kept ? kept : std::make_shared<partition_reading>(source));
  }
  set_assigned(std::move(next));
  return {};
}

status consumer::unsubscribe(const wait_limit& limit) {
  status told;
  if (topics_) told = give_up({}, member_ && member_->is_lost(), limit);
  if (member_ && topics_) member_->leave([] {});
  topics_.reset();
  filter_ = nullptr;
  expression_.reset();
  set_assigned({});
  return told;
}

std::vector<topic_partition> consumer::assignment() const {
  std::vector<topic_partition> sources;
  for (const reading& partition : assigned_) sources.push_back(partition->source);
  return sources;
}

std::optional<std::set<std::string>> consumer::subscription() const { return topics_; }

void consumer::set_assigned(std::vector<reading> partitions) {
  for (const reading& held : assigned_) {
    held->revoked = std::find(partitions.begin(), partitions.end(), held) == partitions.end();
    if (held->revoked) fetched_.drop(*held);
  }
  if (current_ && current_->partition->revoked) current_.reset();
  handed_out_.clear();
  for (const reading& partition : partitions) partition->handed_out = false;
  const std::lock_guard guard(mutex_);
  assigned_ = std::move(partitions);
}

consumer::reading consumer::find(const topic_partition& source) const {
  for (const reading& partition : assigned_) {
    if (partition->source == source) return partition;
  }
  return nullptr;
}

result<consumer::reading> consumer::find_assigned(const topic_partition& source) const {
  if (reading found = find(source)) return found;
  return make_error(error_code::invalid_argument,
                    "{} is not assigned to this consumer: assign() it, or poll() once so that the "
                    "subscription takes effect",
                    source.to_string());
}

// ---- positions -----------------------------------------------------------------------------

void consumer::begin_call() {
  for (partition_reading* partition : handed_out_) {
    partition->processed.store(partition->position.value(), std::memory_order_relaxed);
    partition->handed_out = false;
  }
  handed_out_.clear();
  if (member_) member_->touch();
}

result<offset_t> consumer::position(const topic_partition& source, const wait_limit& limit) {
  TRY_ASSIGN(const reading partition, find_assigned(source));
  TRY(settle_positions(limit));
  return partition->position;
}

status consumer::seek(const topic_partition& source, offset_t to) {
  if (to.value() < 0) {
    return make_error(error_code::invalid_argument, "seek to {}: offsets begin at 0", to);
  }
  TRY_ASSIGN(const reading partition, find_assigned(source));
  fetched_.drop(*partition);
  if (current_ && current_->partition == partition) current_.reset();
  partition->position = to;
  partition->reset.reset();
  damage_ = {};
  return {};
}

status consumer::seek_to(const std::vector<topic_partition>& sources, offset_reset where) {
  std::vector<reading> partitions;
  for (const topic_partition& source : sources) {
    TRY_ASSIGN(reading partition, find_assigned(source));
    partitions.push_back(std::move(partition));
  }
  if (sources.empty()) partitions = assigned_;
  for (const reading& partition : partitions) {
    fetched_.drop(*partition);
    if (current_ && current_->partition == partition) current_.reset();
    partition->position = no_offset;
    partition->reset = where;
  }
  damage_ = {};
  return {};
}

status consumer::pause(const std::vector<topic_partition>& sources, bool paused) {
  std::vector<reading> partitions;
  for (const topic_partition& source : sources) {
    TRY_ASSIGN(reading partition, find_assigned(source));
    partitions.push_back(std::move(partition));
  }
  for (const reading& partition : partitions) {
    partition->paused = paused;
    if (!paused) continue;
    fetched_.drop(*partition);  // fetched again from the position when it is resumed
    if (current_ && current_->partition == partition) current_.reset();
  }
  return {};
}

std::vector<topic_partition> consumer::paused() const {
  std::vector<topic_partition> sources;
  for (const reading& partition : assigned_) {
    if (partition->paused) sources.push_back(partition->source);
  }
  return sources;
}

std::optional<offset_t> consumer::high_watermark(const topic_partition& source) const {
  const reading partition = find(source);
  if (!partition || partition->high_watermark == no_offset) return std::nullopt;
  return partition->high_watermark;
}

// ---- offsets of the group and of partitions ------------------------------------------------

status consumer::check_group(std::string_view what) const {
  TRY(over_->check_usable());
  if (options_.group_id) return {};
  return make_error(error_code::invalid_group_id, "{} needs a group: give the consumer a group_id",
                    what);
}

partition_offsets consumer::consumed() const {
  partition_offsets offsets;
  for (const reading& partition : assigned_) {
    if (partition->position != no_offset) offsets[partition->source].offset = partition->position;
  }
  return offsets;
}

partition_offsets consumer::processed() const {
  partition_offsets offsets;
  const std::lock_guard guard(mutex_);
  for (const reading& partition : assigned_) {
    const std::int64_t offset = partition->processed.load(std::memory_order_relaxed);
    if (offset == no_offset.value()) continue;
    if (offset == partition->committed.load(std::memory_order_relaxed)) continue;
    offsets[partition->source].offset = offset_t(offset);
  }
  return offsets;
}

void consumer::commit_async(std::optional<partition_offsets> offsets,
                            callback<void(const partition_offsets&, status)> done) {
  partition_offsets what = offsets ? std::move(*offsets) : consumed();
  if (status grouped = check_group("commit"); !grouped.ok()) return done(what, grouped);
  if (what.empty()) return done(what, {});
  group_commit::start(over_, member_, options_, std::move(what), std::move(done));
}

status consumer::commit(std::optional<partition_offsets> offsets, const wait_limit& limit) {
  const auto done = ask<partition_offsets>(*over_, limit, "the commit", [&](auto reply) {
    commit_async(std::move(offsets),
                 [reply = std::move(reply)](const partition_offsets& what, status outcome) mutable {
                   if (outcome.ok()) return reply(what);
                   reply(std::move(outcome.failure()));
                 });
  });
  if (!done.ok()) return done.failure();
  for (const auto& [source, committed] : *done) {
    if (const reading partition = find(source)) {
      partition->committed.store(committed.offset.value(), std::memory_order_relaxed);
    }
  }
  return {};
}

void consumer::commit_processed_async() {
  if (member_->is_lost()) return;
  partition_offsets offsets = processed();
  if (offsets.empty()) return;
  commit_async(
      std::move(offsets), [weak = weak_from_this()](const partition_offsets& what, status outcome) {
        const auto self = weak.lock();
        if (!self) return;
        if (!outcome.ok()) {
          self->over_->log().log(log_level::warning, "automatic commit of group {} failed: {}",
                                 *self->options_.group_id, outcome.failure().message);
          return;
        }
        const std::lock_guard guard(self->mutex_);
        for (const reading& partition : self->assigned_) {
          const auto found = what.find(partition->source);
          if (found == what.end()) continue;
          partition->committed.store(found->second.offset.value(), std::memory_order_relaxed);
        }
      });
}

void consumer::tick_auto_commit() {
  over_->engine().schedule_at(over_->time().now() + milliseconds(options_.auto_commit_interval_ms),
                              [weak = weak_from_this()] {
                                const auto self = weak.lock();
                                if (!self || self->abandoned_.load()) return;
                                self->commit_processed_async();
                                self->tick_auto_commit();
                              });
}

result<std::optional<broker::committed_offset>> consumer::committed(const topic_partition& source,
                                                                    const wait_limit& limit) {
  TRY(check_group("committed"));
  broker::offset_fetch_request request;
  request.group = *options_.group_id;
  request.partitions.emplace().push_back(source);
  TRY_ASSIGN(broker::fetched_offsets found,
             ask<broker::fetched_offsets>(
                 *over_, limit, "the look-up of committed offsets", [&](auto reply) {
                   over_->broker().fetch_offsets(std::move(request), std::move(reply));
                 }));
  if (found.empty()) return std::optional<broker::committed_offset>();
  return std::move(found.front().second);
}

result<broker::listed_offset> consumer::list_offset(const topic_partition& source,
                                                    std::int64_t timestamp,
                                                    const wait_limit& limit) {
  TRY(over_->check_usable());
  return ask<broker::listed_offset>(
      *over_, limit, "the look-up of an offset of " + source.to_string(), [&](auto reply) {
        over_->broker().list_offset({source, timestamp, options_.isolation}, std::move(reply));
      });
}

broker::group_member_identity consumer::group_identity() const {
  return member_ ? member_->identity() : broker::group_member_identity{};
}

// ---- the end -------------------------------------------------------------------------------

status consumer::close(bool commit_positions, const wait_limit& limit) {
  if (std::exchange(closed_, true)) return {};
  abandoned_.store(true);
  status outcome;
  if (member_ && over_->check_usable().ok()) {
    const bool lost = topics_ && member_->is_lost();
    if (commit_positions && options_.enable_auto_commit && !lost) {
      outcome = commit(std::nullopt, limit);
    }
    auto& hook = lost && hooks_.lost ? hooks_.lost : hooks_.revoked;
    if (topics_ && hook && !assigned_.empty()) {
      status told = hook(assignment());
      if (outcome.ok()) outcome = std::move(told);
    }
    const auto left = ask<std::monostate>(*over_, limit, "leaving the group", [&](auto reply) {
      member_->leave([reply = std::move(reply)]() mutable { reply(std::monostate{}); });
    });
    if (!left.ok() && outcome.ok()) outcome = left.failure();
  }
  fetched_.clear();
  current_.reset();
  return outcome;
}

void consumer::abandon() {
  if (closed_ || abandoned_.exchange(true)) return;
  if (!member_ || !over_->check_usable().ok()) return;
  if (options_.enable_auto_commit) commit_processed_async();
  member_->leave([] {});
}

}  // namespace ringlog::client
