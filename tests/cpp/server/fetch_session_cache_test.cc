// Who gets a session, who loses it, and what it makes of requests and answers.

#include "server/fetch_session_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

namespace ringlog::server {
namespace {

using model::kafka_error;
using answered_partition = fetch_session_cache::answered_partition;
using numbers = std::vector<std::int32_t>;

class set_clock final : public clock {
 public:
  std::int64_t wall_ms() const override { return 0; }
  monotonic_time now() const override { return now_; }
  void pass(milliseconds time) { now_ = now_ + time; }

 private:
  monotonic_time now_{};
};

constexpr milliseconds eviction_min{1'000};
constexpr std::int16_t version_with_names = 12;
constexpr std::int16_t version_with_ids = 13;

class FetchSessionCacheTest : public testing::Test {
 protected:
  struct request_of {
    std::int32_t session = 0;
    std::int32_t epoch = 0;
    numbers partitions;
    numbers forgotten = {};
    std::string_view topic = "orders";
  };

  static protocol::fetch_request make(const request_of& given) {
    protocol::fetch_request request;
    request.session_id = given.session;
    request.session_epoch = given.epoch;
    if (!given.partitions.empty()) {
      auto& topic = request.topics.emplace_back();
      topic.topic = given.topic;
      for (const std::int32_t one : given.partitions)
        topic.partitions.emplace_back().partition = one;
    }
    if (!given.forgotten.empty()) {
      request.forgotten_topics_data.push_back({given.topic, {}, given.forgotten, {}});
    }
    return request;
  }

  fetch_session_cache::plan begin(const request_of& given) {
    return cache_->begin(make(given), version_with_names);
  }

  static answered_partition nothing_new(std::int32_t partition) {
    answered_partition answer;
    answer.partition_index = partition;
    answer.high_watermark = 10;
    answer.log_start_offset = 0;
    return answer;
  }

  answered_partition with_records(std::int32_t partition) {
    answered_partition answer = nothing_new(partition);
    answer.records = protocol::records_ref(as_bytes("records"));
    return answer;
  }

  // With nothing new, where no answer is given.
  protocol::fetch_response finish(const fetch_session_cache::plan& plan,
                                  const std::vector<answered_partition>& given = {}) {
    std::vector<answered_partition> answers;
    for (const fetch_source& source : plan.partitions) {
      answers.push_back(nothing_new(source.partition));
      for (const auto& one : given) {
        if (one.partition_index == source.partition) answers.back() = one;
      }
    }
    protocol::fetch_response response;
    cache_->finish(plan, answers, response);
    return response;
  }

  // A new session's id; 0 without one.
  std::int32_t open(const numbers& partitions) {
    return finish(begin({.partitions = partitions})).session_id;
  }

  kafka_error outcome_of(std::int32_t session, std::int32_t epoch) {
    return begin({.session = session, .epoch = epoch, .partitions = {}}).failure;
  }

  static numbers asked(const fetch_session_cache::plan& plan) {
    numbers all;
    for (const fetch_source& one : plan.partitions) all.push_back(one.partition);
    return all;
  }

  static numbers told(const protocol::fetch_response& response) {
    numbers all;
    for (const auto& topic : response.responses) {
      for (const auto& one : topic.partitions) all.push_back(one.partition_index);
    }
    return all;
  }

  void make_cache(std::int64_t sessions_max, std::int64_t bytes_max = 1 << 20) {
    cache_.emplace(clock_, random_,
                   fetch_session_cache::bounds{sessions_max, bytes_max, eviction_min});
  }

  void SetUp() override { make_cache(10); }

  set_clock clock_;
  seeded_random random_{7};
  std::optional<fetch_session_cache> cache_;
};

TEST_F(FetchSessionCacheTest, AFullRequestWithoutASessionLeavesNone) {
  const auto plan = begin({.epoch = -1, .partitions = {0, 1}});
  EXPECT_EQ(asked(plan), (numbers{0, 1}));
  const auto response = finish(plan);
  EXPECT_EQ(response.session_id, 0);
  EXPECT_EQ(told(response), (numbers{0, 1}));
  EXPECT_EQ(cache_->count(), 0u);
  EXPECT_EQ(cache_->bytes(), 0);
}

TEST_F(FetchSessionCacheTest, OnlyPartitionsWithNewsAreTold) {
  const std::int32_t id = open({0, 1, 2, 3, 4});
  ASSERT_GT(id, 0);
  auto plan = begin({.session = id, .epoch = 1, .partitions = {}});
  ASSERT_EQ(plan.failure, kafka_error::none);
  EXPECT_EQ(asked(plan), (numbers{0, 1, 2, 3, 4}));
  const auto quiet = finish(plan);
  EXPECT_EQ(quiet.session_id, id);
  EXPECT_EQ(quiet.error_code, 0);
  EXPECT_TRUE(quiet.responses.empty());

  auto further = nothing_new(1);
  further.high_watermark = 11;
  auto shorter = nothing_new(2);
  shorter.log_start_offset = 5;
  auto failed = nothing_new(3);
  failed.error_code = 1;
  plan = begin({.session = id, .epoch = 2, .partitions = {}});
  const auto loud = finish(plan, {with_records(4), further, shorter, failed});
  EXPECT_EQ(told(loud), (numbers{1, 2, 3, 4}));

  // The end of a failure is news, and nothing else is.
  plan = begin({.session = id, .epoch = 3, .partitions = {}});
  EXPECT_EQ(told(finish(plan, {further, shorter})), (numbers{3}));
}

TEST_F(FetchSessionCacheTest, RequestsChangeAddAndForgetPartitions) {
  const std::int32_t id = open({0, 1});
  auto request = make({.session = id, .epoch = 1, .partitions = {1, 2}, .forgotten = {0, 77}});
  request.topics[0].partitions[0].fetch_offset = 33;
  request.topics[0].partitions[0].partition_max_bytes = 44;
  request.topics[0].partitions[0].current_leader_epoch = 55;
  const auto plan = cache_->begin(request, version_with_names);
  ASSERT_EQ(asked(plan), (numbers{1, 2}));
  EXPECT_EQ(plan.partitions[0].topic, "orders");
  EXPECT_EQ(plan.partitions[0].fetch_offset, 33);
  EXPECT_EQ(plan.partitions[0].bytes_max, 44);
  EXPECT_EQ(plan.partitions[0].leader_epoch, 55);
  EXPECT_EQ(told(finish(plan)), (numbers{2}));
}

TEST_F(FetchSessionCacheTest, ThePartitionThatHadRecordsIsAskedLast) {
  const std::int32_t id = open({0, 1, 2});
  finish(begin({.session = id, .epoch = 1, .partitions = {}}), {with_records(0)});
  auto plan = begin({.session = id, .epoch = 2, .partitions = {}});
  EXPECT_EQ(asked(plan), (numbers{1, 2, 0}));
  finish(plan, {with_records(1)});
  plan = begin({.session = id, .epoch = 3, .partitions = {3}});
  EXPECT_EQ(asked(plan), (numbers{2, 0, 1, 3}));
}

TEST_F(FetchSessionCacheTest, TopicsAreToldInTheOrderOfTheirPartitions) {
  auto request = make({.partitions = {0}, .topic = "a"});
  request.topics.push_back(make({.partitions = {0, 1}, .topic = "b"}).topics[0]);
  const auto response = finish(cache_->begin(request, version_with_names));
  ASSERT_EQ(response.responses.size(), 2u);
  EXPECT_EQ(response.responses[0].topic, "a");
  EXPECT_EQ(response.responses[1].topic, "b");
  EXPECT_EQ(response.responses[1].partitions.size(), 2u);
}

TEST_F(FetchSessionCacheTest, EpochsCountTheRequests) {
  const std::int32_t id = open({0});
  EXPECT_EQ(outcome_of(id + 1, 1), kafka_error::fetch_session_id_not_found);
  EXPECT_EQ(outcome_of(id, 2), kafka_error::invalid_fetch_session_epoch);
  EXPECT_EQ(outcome_of(id, 1), kafka_error::none);
  EXPECT_EQ(outcome_of(id, 1), kafka_error::invalid_fetch_session_epoch);
  EXPECT_EQ(outcome_of(id, 2), kafka_error::none);
  EXPECT_EQ(outcome_of(id, -5), kafka_error::invalid_fetch_session_epoch);
  EXPECT_EQ(outcome_of(-1, 1), kafka_error::fetch_session_id_not_found);
}

TEST_F(FetchSessionCacheTest, ARequestThatWasOvertakenGetsNothing) {
  const std::int32_t id = open({0});
  const auto slow = begin({.session = id, .epoch = 1, .partitions = {}});
  const auto fast = begin({.session = id, .epoch = 2, .partitions = {}});
  const auto late = finish(slow, {with_records(0)});
  EXPECT_EQ(late.error_code, 71);
  EXPECT_TRUE(late.responses.empty());
  EXPECT_EQ(told(finish(fast, {with_records(0)})), (numbers{0}));
}

TEST_F(FetchSessionCacheTest, ASessionKeepsToTopicIdsOrToNames) {
  const std::int32_t by_name = open({0});
  const auto request = make({.session = by_name, .epoch = 1, .partitions = {}});
  EXPECT_EQ(cache_->begin(request, version_with_ids).failure,
            kafka_error::fetch_session_topic_id_error);
  auto with_id = make({.partitions = {0}, .topic = ""});
  with_id.topics[0].topic_id = uuid::make_random(random_);
  const auto opened = finish(cache_->begin(with_id, version_with_ids));
  ASSERT_GT(opened.session_id, 0);
  EXPECT_EQ(opened.responses.at(0).topic_id, with_id.topics[0].topic_id);
  EXPECT_EQ(outcome_of(opened.session_id, 1), kafka_error::fetch_session_topic_id_error);
}

TEST_F(FetchSessionCacheTest, FullRequestsCloseTheSessionTheyName) {
  const std::int32_t first = open({0});
  const std::int32_t second =
      finish(begin({.session = first, .epoch = 0, .partitions = {0}})).session_id;
  EXPECT_GT(second, 0);
  EXPECT_NE(second, first);
  EXPECT_EQ(outcome_of(first, 1), kafka_error::fetch_session_id_not_found);
  EXPECT_EQ(finish(begin({.session = second, .epoch = -1, .partitions = {0}})).session_id, 0);
  EXPECT_EQ(cache_->count(), 0u);
  EXPECT_EQ(cache_->bytes(), 0);
}

TEST_F(FetchSessionCacheTest, ASessionWithoutPartitionsEnds) {
  const std::int32_t id = open({0, 1});
  const auto plan = begin({.session = id, .epoch = 1, .partitions = {}, .forgotten = {0, 1}});
  EXPECT_TRUE(plan.partitions.empty());
  EXPECT_EQ(finish(plan).session_id, 0);
  EXPECT_EQ(cache_->count(), 0u);
}

TEST_F(FetchSessionCacheTest, AFullCacheGivesNoSession) {
  make_cache(2);
  const std::int32_t first = open({0});
  const std::int32_t second = open({0});
  EXPECT_EQ(open({0, 1, 2}), 0);  // the others are young
  EXPECT_EQ(outcome_of(first, 1), kafka_error::none);
  EXPECT_EQ(outcome_of(second, 1), kafka_error::none);
  make_cache(0);
  EXPECT_EQ(open({0}), 0);
}

TEST_F(FetchSessionCacheTest, TheLongestUnusedSessionGoesFirst) {
  make_cache(2);
  const std::int32_t used = open({0, 1});
  const std::int32_t unused = open({0, 1});
  clock_.pass(eviction_min);
  EXPECT_EQ(outcome_of(used, 1), kafka_error::none);
  EXPECT_EQ(open({0}), 0);
  clock_.pass(milliseconds(1));
  EXPECT_GT(open({0}), 0);
  EXPECT_EQ(outcome_of(unused, 1), kafka_error::fetch_session_id_not_found);
  EXPECT_EQ(outcome_of(used, 2), kafka_error::none);
}

TEST_F(FetchSessionCacheTest, ALargerOneTakesThePlaceOfTheSmallest) {
  make_cache(2);
  const std::int32_t large = open({0, 1, 2});
  const std::int32_t small = open({0, 1});
  clock_.pass(eviction_min + milliseconds(1));
  EXPECT_EQ(outcome_of(large, 1), kafka_error::none);
  EXPECT_EQ(outcome_of(small, 1), kafka_error::none);
  EXPECT_EQ(open({0}), 0);
  EXPECT_EQ(open({0, 1}), 0);
  const std::int32_t larger = open({0, 1, 2});
  EXPECT_GT(larger, 0);
  EXPECT_EQ(outcome_of(small, 2), kafka_error::fetch_session_id_not_found);
  EXPECT_EQ(outcome_of(large, 2), kafka_error::none);
  EXPECT_GT(open({0, 1, 2, 3}), 0);
  EXPECT_EQ(outcome_of(large, 3), kafka_error::fetch_session_id_not_found);
  EXPECT_EQ(outcome_of(larger, 1), kafka_error::none);  // it is young
  EXPECT_EQ(cache_->count(), 2u);
}

TEST_F(FetchSessionCacheTest, MemoryIsBounded) {
  constexpr std::int64_t bytes_max = 10'000;
  make_cache(1'000, bytes_max);
  std::size_t given = 0;
  while (open({0, 1, 2}) > 0) ++given;
  EXPECT_GT(given, 1u);
  EXPECT_LT(given, 100u);
  EXPECT_LE(cache_->bytes(), bytes_max);
  numbers many;
  for (std::int32_t i = 0; i < 1'000; ++i) many.push_back(i);
  EXPECT_EQ(open(many), 0);
}

TEST_F(FetchSessionCacheTest, ASessionThatGrowsBeyondTheMemoryEnds) {
  make_cache(1'000, 10'000);
  const std::int32_t id = open({0});
  numbers many;
  for (std::int32_t i = 0; i < 1'000; ++i) many.push_back(i);
  EXPECT_EQ(begin({.session = id, .epoch = 1, .partitions = many}).failure,
            kafka_error::fetch_session_id_not_found);
  EXPECT_EQ(cache_->count(), 0u);
  EXPECT_EQ(cache_->bytes(), 0);
}

TEST_F(FetchSessionCacheTest, ThreadsMayCloseWhatOthersUse) {
  constexpr int rounds = 300;
  std::atomic<std::int32_t> shown = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      std::int32_t id = 0;
      for (int round = 0; round < rounds; ++round) {
        id = finish(begin({.session = id, .partitions = {0, 1, 2}})).session_id;
        const std::int32_t other = shown.exchange(id);
        for (const std::int32_t used : {id, other}) {
          const auto plan = begin({.session = used, .epoch = 1, .partitions = {3}});
          if (plan.failure == kafka_error::none) finish(plan, {with_records(3)});
        }
        if (round % 3 == 0) begin({.session = other, .epoch = -1, .partitions = {}});
      }
      begin({.session = id, .epoch = -1, .partitions = {}});
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(cache_->count(), 0u);
  EXPECT_EQ(cache_->bytes(), 0);
}

}  // namespace
}  // namespace ringlog::server
