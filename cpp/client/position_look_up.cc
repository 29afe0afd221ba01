#include "client/position_look_up.h"

#include <algorithm>
#include <utility>

namespace ringlog::client {
namespace {

// The answers of so many calls, put together when the last one comes.
class gathered_offsets {
 public:
  using all = std::vector<result<broker::listed_offset>>;

  gathered_offsets(std::size_t count, callback<void(result<all>)> done)
      : answers_(count, result<broker::listed_offset>(broker::listed_offset{})),
        left_(count),
        done_(std::move(done)) {}

  void take(std::size_t place, result<broker::listed_offset> answer) {
    {
      const std::lock_guard guard(mutex_);
      answers_[place] = std::move(answer);
      if (--left_ > 0) return;
    }
    done_(std::move(answers_));
  }

 private:
  std::mutex mutex_;
  all answers_;
  std::size_t left_;
  callback<void(result<all>)> done_;
};

}  // namespace

status position_look_up::settle(const std::vector<reading>& assigned, const wait_limit& limit) {
  for (std::vector<reading> tried;;) {
    if (!listed_) {
      if (!committed_) start_committed(assigned);
      if (committed_) TRY(take_committed(limit));
      TRY(start_listing(assigned, tried));
      if (!listed_) return {};
    }
    TRY(take_listed(limit, tried));
  }
}

void position_look_up::start_committed(const std::vector<reading>& assigned) {
  if (!options_.group_id) return;
  broker::offset_fetch_request request;
  request.group = *options_.group_id;
  request.partitions.emplace();
  asked_committed_.clear();
  for (const reading& partition : assigned) {
    if (partition->position != no_offset || partition->reset) continue;
    request.partitions->push_back(partition->source);
    asked_committed_.push_back(partition);
  }
  if (asked_committed_.empty()) return;
  committed_.start(
      [&](auto reply) { over_.broker().fetch_offsets(std::move(request), std::move(reply)); });
}

// Those without a committed offset go on by the rule.
status position_look_up::take_committed(const wait_limit& limit) {
  auto answer = committed_.take(limit, "the look-up of committed offsets");
  if (!answer.ok()) return explain(over_, std::move(answer.failure()));
  for (const auto& [source, committed] : *answer) {
    const auto asked = std::ranges::find_if(
        asked_committed_, [&](const auto& each) { return each->source == source; });
    if (asked == asked_committed_.end()) continue;
    partition_reading& partition = **asked;
    if (partition.revoked || partition.position != no_offset || partition.reset) continue;
    if (!committed || committed->offset == no_offset) continue;
    partition.position = committed->offset;
    partition.committed.store(committed->offset.value(), std::memory_order_relaxed);
  }
  for (const reading& partition : asked_committed_) {
    if (partition->position == no_offset && !partition->reset) {
      partition->reset = options_.auto_offset_reset;
    }
  }
  return {};
}

status position_look_up::start_listing(const std::vector<reading>& assigned,
                                       const std::vector<reading>& tried) {
  asked_listed_.clear();
  for (const reading& partition : assigned) {
    if (partition->position != no_offset) continue;
    if (std::ranges::find(tried, partition) != tried.end()) continue;
    const offset_reset rule = partition->reset.value_or(options_.auto_offset_reset);
    if (rule == offset_reset::none) {
      partition->reset.reset();  // the next call looks whether something was committed by then
      return make_error(error_code::not_found,
                        "{} has no committed offset and auto_offset_reset says none: seek() to "
                        "where the reading shall begin",
                        partition->source.to_string());
    }
    asked_listed_.push_back({partition, rule});
  }
  if (!asked_listed_.empty()) list_all();
  return {};
}

void position_look_up::list_all() {
  listed_.start([&](auto reply) {
    const auto gathered =
        std::make_shared<gathered_offsets>(asked_listed_.size(), std::move(reply));
    for (std::size_t i = 0; i < asked_listed_.size(); ++i) {
      const auto& [partition, rule] = asked_listed_[i];
      const std::int64_t where =
          rule == offset_reset::earliest ? broker::earliest_timestamp : broker::latest_timestamp;
      over_.broker().list_offset(
          {partition->source, where, options_.isolation},
          [gathered, i](auto answer) { gathered->take(i, std::move(answer)); });
    }
  });
}

status position_look_up::take_listed(const wait_limit& limit, std::vector<reading>& tried) {
  auto answers = listed_.take(limit, "the look-up of offsets");
  if (!answers.ok()) return explain(over_, std::move(answers.failure()));
  status outcome;
  for (std::size_t i = 0; i < asked_listed_.size(); ++i) {
    const auto& [partition, rule] = asked_listed_[i];
    result<broker::listed_offset>& answer = (*answers)[i];
    tried.push_back(partition);
    const bool is_wanted = !partition->revoked && partition->position == no_offset &&
                           partition->reset.value_or(options_.auto_offset_reset) == rule;
    if (!is_wanted) continue;
    if (answer.ok()) {
      partition->position = answer->offset;
      partition->reset.reset();
    } else if (answer.code() != error_code::unknown_topic_or_partition && outcome.ok()) {
      outcome = std::move(answer.failure());
    }
  }
  return outcome;
}

}  // namespace ringlog::client
