// The part of the consumer that brings records: rebalances, positions, fetches.

#include <algorithm>
#include <utility>

#include "client/consumer.h"

namespace ringlog::client {
namespace {

// A poll with little time goes on with the same request next time.
template <typename T>
result<std::optional<T>> take_in_time(kept_answer<T>& from, const wait_limit& limit,
                                      std::string_view what, bool& settled) {
  result<T> answer = from.take(limit, what);
  if (answer.ok()) return std::optional<T>(std::move(*answer));
  if (!from) return std::move(answer.failure());
  settled = false;
  return std::optional<T>();
}

// A rebalance waits at least so long for the commit before it.
constexpr milliseconds commit_wait_min{1000};

}  // namespace

// ---- handing out ---------------------------------------------------------------------------

bool consumer::take(model::record_view& record) {
  if (attention_.load(std::memory_order_relaxed) != 0) return false;
  for (;;) {
    while (current_ && current_->next(record)) {
      partition_reading& from = *current_->partition;
      if (record.offset < from.position) continue;
      from.position = record.offset + 1;
      if (!from.handed_out) {
        from.handed_out = true;
        handed_out_.push_back(&from);
      }
      return true;
    }
    if (current_) finish_current();
    if (!damage_.ok() || fetched_.empty() || fetched_.front_is_compressed()) return false;
    if (!open_next_batch(damage_)) return false;
  }
}

void consumer::finish_current() {
  if (status whole = current_->outcome(); whole.ok()) {
    partition_reading& from = *current_->partition;
    from.position = std::max(from.position, current_->batch.next_offset());
  } else {
    damage_ =
        std::move(whole.failure())
            .with_context(fmt::format("{} at offset {}", current_->partition->source.to_string(),
                                      current_->partition->position));
    fetched_.drop(*current_->partition);
  }
  current_.reset();
}

bool consumer::open_next_batch(status& opened) {
  auto next = fetched_.open_next();
  if (!next.ok()) {
    opened = std::move(next.failure());
    return false;
  }
  current_ = std::move(*next);
  return current_ != nullptr;
}

result<bool> consumer::fill(const wait_limit& limit) {
  for (;;) {
    if (closed_) return make_error(error_code::closed, "the consumer is closed");
    TRY(over_->check_usable());
    if ((attention_.exchange(0) & woken) != 0) {
      return make_error(error_code::interrupted, "wakeup() was called");
    }
    if (member_) member_->touch();
    if (!damage_.ok()) return std::exchange(damage_, status()).failure();

    bool settled = true;
    TRY(prepare(limit, settled));
    if (settled) {
      if (current_) return true;
      if (open_next_batch(damage_)) return true;
      if (!damage_.ok()) continue;
      TRY(fetch(limit));
      if (!fetched_.empty()) continue;
    }
    if (limit.over()) return false;
  }
}

result<bool> consumer::fill_within(milliseconds idle, callback<status()>* interrupted) {
  // The join must not use the idle time up: a short one on a fresh group still drains the log.
  const auto first = wait_limit::after(milliseconds(options_.session_timeout_ms), interrupted);
  for (;;) {
    bool settled = true;
    TRY(prepare(first, settled));
    if (settled || first.over() || attention_.load() == woken) break;
  }
  TRY_ASSIGN(const bool filled, fill(wait_limit::after(idle, interrupted)));
  if (filled || !fetching_) return filled;
  // Only the answer that is on its way tells whether the log is drained.
  TRY(fetch(first));
  return fill(wait_limit::after(milliseconds(0), interrupted));
}

void consumer::attend(std::uint32_t flag) {
  attention_.fetch_or(flag);
  if (const std::uint64_t token = fetch_token_.load(); token != 0) {
    over_->broker().cancel_fetch(token);
  }
  wake_.signal();
}

void consumer::wakeup() { attend(woken); }

// ---- topics and group ----------------------------------------------------------------------

status consumer::prepare(const wait_limit& limit, bool& settled) {
  TRY(prepare_topics(limit, settled));
  if (!settled) return {};
  if (topics_ && member_) {
    TRY(prepare_group(limit, settled));
  } else if (topics_) {
    refresh_ungrouped();
  }
  if (!settled) return {};
  status positions = settle_positions(limit);
  // No failure of a poll: those that have a position are read, the next call asks for the others.
  if (!positions.ok() && positions.code() == error_code::timed_out) return {};
  return positions;
}

status consumer::prepare_topics(const wait_limit& limit, bool& settled) {
  if (!topics_) return {};
  const std::uint64_t version = over_->broker().metadata_version();
  if (topics_seen_ == version && version != 0 && !subscription_changed_) return {};
  if (filter_) {
    TRY(pick_topics(limit, settled));
  } else if (subscription_changed_) {
    TRY(learn_of_topics(limit, settled));
  }
  if (!settled) return {};
  topics_seen_ = version;
  if (!member_) subscription_changed_ = false;
  return {};
}

status consumer::pick_topics(const wait_limit& limit, bool& settled) {
  if (!all_topics_) {
    all_topics_.start(
        [&](auto reply) { over_->broker().look_up_topics(std::nullopt, std::move(reply)); });
  }
  TRY_ASSIGN(const auto all, take_in_time(all_topics_, limit, "listing topics", settled));
  if (!settled) return {};
  std::vector<std::string> names;
  for (const auto& topic : *all) names.push_back(topic.name);
  TRY_ASSIGN(const auto picked, filter_(std::move(names)));
  std::set<std::string> wanted(picked.begin(), picked.end());
  if (*topics_ != wanted) {
    topics_ = std::move(wanted);
    subscription_changed_ = true;
  }
  return {};
}

// One after another: of those that may not be made it is known from here on that they are wanted.
status consumer::learn_of_topics(const wait_limit& limit, bool& settled) {
  service& broker = over_->broker();
  for (const std::string& topic : *topics_) {
    if (learned_of_.contains(topic) || broker.find_topic(topic)) continue;
    if (!learning_) {
      learning_.start([&](auto reply) {
        if (options_.allow_auto_create_topics) {
          broker.ensure_topic(topic, [reply = std::move(reply)](auto made) mutable {
            made.ok() ? reply(std::monostate{}) : reply(std::move(made.failure()));
          });
        } else {
          broker.look_up_topics(std::vector{topic}, [reply = std::move(reply)](auto found) mutable {
            found.ok() ? reply(std::monostate{}) : reply(std::move(found.failure()));
          });
        }
      });
    }
    const auto learned = take_in_time(learning_, limit, "asking for topic " + topic, settled);
    // Not allowed to make it: it is read when somebody else does.
    if (!learned.ok() && learned.code() != error_code::unknown_topic_or_partition) {
      return learned.failure();
    }
    if (!settled) return {};
    learned_of_.insert(topic);
  }
  return {};
}

status consumer::prepare_group(const wait_limit& limit, bool& settled) {
  attention_.fetch_and(~std::uint32_t{rebalance});
  if (std::exchange(subscription_changed_, false)) {
    member_->subscribe({{topics_->begin(), topics_->end()}, expression_});
  }
  for (;;) {
    TRY_ASSIGN(const auto step, member_->next_step());
    if (!step) break;
    status made = make_step(*step, limit);
    member_->step_made(*step);
    TRY(std::move(made));
  }
  settled = member_->is_settled();
  if (settled || limit.over()) return {};
  if (status waited = wake_.wait(limit); !waited.ok() && waited.code() != error_code::timed_out) {
    return waited;
  }
  return {};
}

status consumer::make_step(const group_step& step, const wait_limit& limit) {
  if (step.what == group_step::kind::assign) return take_assignment(step.partitions);
  return give_up(step.partitions, step.what == group_step::kind::lose, limit);
}

status consumer::give_up(const std::vector<topic_partition>& kept, bool lost,
                         const wait_limit& limit) {
  std::vector<reading> staying;
  std::vector<topic_partition> going;
  for (const reading& partition : assigned_) {
    const bool stays = std::find(kept.begin(), kept.end(), partition->source) != kept.end();
    stays ? staying.push_back(partition) : going.push_back(partition->source);
  }
  if (!lost) commit_before_rebalance(limit);
  status told;
  auto& hook = lost && hooks_.lost ? hooks_.lost : hooks_.revoked;
  if (hook && !going.empty()) told = hook(going);
  set_assigned(std::move(staying));
  return told;
}

void consumer::commit_before_rebalance(const wait_limit& limit) {
  if (!member_ || !options_.enable_auto_commit) return;
  partition_offsets offsets = processed();
  if (offsets.empty()) return;
  const auto enough = wait_limit::after(std::max(limit.left(), commit_wait_min), limit.interrupted);
  const status done = commit(std::move(offsets), enough);
  if (done.ok()) return;
  over_->log().log(log_level::warning, "commit before the rebalance of group {} failed: {}",
                   *options_.group_id, done.failure().message);
}

status consumer::take_assignment(const std::vector<topic_partition>& partitions) {
  std::vector<reading> next;
  std::vector<topic_partition> added;
  for (const topic_partition& source : partitions) {
    reading held = find(source);  // goes on where it is
    if (!held) added.push_back(source);
    next.push_back(held ? std::move(held) : std::make_shared<partition_reading>(source));
  }
  set_assigned(std::move(next));
  return hooks_.assigned ? hooks_.assigned(added) : status();
}

// Without a group: all partitions of the subscribed topics, as they are now.
void consumer::refresh_ungrouped() {
  std::vector<reading> next;
  for (const std::string& topic : *topics_) {
    const auto found = over_->broker().find_topic(topic);
    if (!found) continue;
    for (const auto& partition : found->partitions) {
      reading kept = find({topic, partition.partition});
      next.push_back(
          kept ? kept
               : std::make_shared<partition_reading>(topic_partition{topic, partition.partition}));
    }
  }
  if (next != assigned_) set_assigned(std::move(next));
}

// ---- positions -----------------------------------------------------------------------------

status consumer::settle_positions(const wait_limit& limit) {
  return positions_.settle(assigned_, limit);
}

// ---- fetches -------------------------------------------------------------------------------

bool consumer::start_fetch(const wait_limit& limit) {
  broker::fetch_request request;
  fetch_under_way next{std::make_shared<pending_answer<broker::fetch_answer>>(), {}};
  const monotonic_time now = over_->time().now();
  const std::size_t count = assigned_.size();
  for (std::size_t i = 0; i < count; ++i) {  // another partition is first each time
    const reading& partition = assigned_[(fetch_turn_ + i) % count];
    if (partition->paused || partition->position == no_offset) continue;
    if (now < partition->not_before) continue;
    request.partitions.push_back({partition->source, partition->position,
                                  options_.max_partition_fetch_bytes, no_leader_epoch});
    next.asked.emplace_back(partition, partition->position);
  }
  ++fetch_turn_;
  if (next.asked.empty()) return false;
  request.wait_ms_max =
      std::clamp<std::int64_t>(limit.left().count(), 0, options_.fetch_max_wait_ms);
  request.bytes_min = options_.fetch_min_bytes;
  request.bytes_max = options_.fetch_max_bytes;
  request.isolation = options_.isolation;
  fetching_ = std::move(next);
  fetch_token_.store(over_->broker().fetch(
      std::move(request), [answer = fetching_->answer](result<broker::fetch_answer> fetched) {
        answer->complete(std::move(fetched));
      }));
  return true;
}

status consumer::fetch(const wait_limit& limit) {
  if (!fetching_ && !start_fetch(limit)) {
    // Nothing to ask for: wait for a rebalance, a topic, or the end of a back-off.
    auto slice = wait_limit::after(std::min(limit.left(), wait_slice_max), limit.interrupted);
    const status waited = wake_.wait(slice);
    return waited.ok() || waited.code() == error_code::timed_out ? status() : waited;
  }
  // An attention that was raised before the token was known must not wait for the fetch.
  if (attention_.load() != 0) over_->broker().cancel_fetch(fetch_token_.load());
  auto answer = fetching_->answer->wait(limit, "the fetch");
  if (!answer.ok()) {
    if (answer.code() == error_code::timed_out) return {};  // goes on; the next call takes it
    over_->broker().cancel_fetch(fetch_token_.exchange(0));
    fetching_.reset();
    return std::move(answer.failure());
  }
  return take_fetched(std::move(*answer));
}

status consumer::take_fetched(broker::fetch_answer answer) {
  fetch_token_.store(0);
  const fetch_under_way fetched = std::move(*fetching_);
  fetching_.reset();
  status first_failure;
  for (std::size_t i = 0; i < answer.partitions.size() && i < fetched.asked.size(); ++i) {
    const auto& [from, position] = fetched.asked[i];
    if (from->revoked || from->paused || from->position != position) continue;
    if (answer.partitions[i].failure) {
      status handled = handle_failure(from, *answer.partitions[i].failure);
      if (first_failure.ok()) first_failure = std::move(handled);
      continue;
    }
    from->high_watermark = answer.partitions[i].high_watermark;
    status added = fetched_.add(from, std::move(answer.partitions[i]));
    if (first_failure.ok()) first_failure = std::move(added);
  }
  return first_failure;
}

status consumer::handle_failure(const reading& from, const error& failure) {
  switch (failure.code) {
    case error_code::offset_out_of_range:
      if (options_.auto_offset_reset == offset_reset::none) break;
      over_->log().log(log_level::info, "{}: {}; reading goes on by auto_offset_reset",
                       from->source.to_string(), failure.message);
      from->position = no_offset;
      from->reset = options_.auto_offset_reset;
      return {};
    case error_code::unknown_topic_or_partition:
    case error_code::not_leader:
    case error_code::unknown_leader_epoch:
    case error_code::fenced_leader_epoch:
      from->not_before = over_->time().now() + milliseconds(options_.retry_backoff_ms);
      return {};
    default:
      break;
  }
  return error(failure).with_context(
      fmt::format("{} at offset {}", from->source.to_string(), from->position));
}

}  // namespace ringlog::client
