#pragma once

#include <memory>
#include <vector>

#include "client/consumer_options.h"
#include "client/fetched_batches.h"
#include "client/transport.h"

namespace ringlog::client {

// Finds where to begin in partitions that have no position: at the group's committed offset, else
// by the reset rule (Kafka: SubscriptionState, OffsetFetcher). What is asked for is asked at once
// for all of them, and goes on when a call's time is over: the next call takes the answer. The
// consumer's thread only.
class position_look_up {
 public:
  using reading = std::shared_ptr<partition_reading>;

  position_look_up(transport& over, const consumer_options& options)
      : over_(over), options_(options) {}

  // not_found when nothing is committed and the rule says none; timed_out; what the broker said.
  // A partition that does not exist keeps having no position, which is no failure.
  status settle(const std::vector<reading>& assigned, const wait_limit& limit);

 private:
  struct asked_partition {
    reading partition;
    offset_reset rule = offset_reset::none;
  };
  using listed = std::vector<result<broker::listed_offset>>;

  void start_committed(const std::vector<reading>& assigned);
  status take_committed(const wait_limit& limit);
  status start_listing(const std::vector<reading>& assigned, const std::vector<reading>& tried);
  void list_all();
  status take_listed(const wait_limit& limit, std::vector<reading>& tried);

  transport& over_;
  const consumer_options& options_;
  kept_answer<broker::fetched_offsets> committed_;
  std::vector<reading> asked_committed_;
  kept_answer<listed> listed_;
  std::vector<asked_partition> asked_listed_;
};

}  // namespace ringlog::client
