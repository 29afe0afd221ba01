// Several producers, consumers of one group that come and go, and closes, on one log in memory:
// what the thread sanitizer looks at. Every record is seen; only a rebalance may show one twice.

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/random.h"
#include "client/consumer.h"
#include "client/embedded_transport.h"
#include "client/producer.h"
#include "node/node.h"

namespace ringlog::client {
namespace {

constexpr int producer_count = 3;
constexpr int consumer_count = 3;
constexpr int records_each = 10'000;
constexpr int partition_count = 4;

std::uint64_t seed_of_run() {
  const char* given = std::getenv("RINGLOG_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 7;
}

class ThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = node::open("memory:threads", {{"group.initial.rebalance.delay.ms", "0"}});
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    over_ = make_embedded_transport(*opened);
    broker::new_topic topic;
    topic.name = "t";
    topic.partitions = partition_count;
    const auto made = await<broker::created_topic>(
        wait_limit::after(milliseconds{10'000}), "create",
        [&](auto reply) { over_->broker().create_topic(topic, false, std::move(reply)); });
    ASSERT_TRUE(made.ok()) << made.failure().message;
  }
  void TearDown() override {
    over_.reset();
    EXPECT_TRUE(node::close("memory:threads", milliseconds{10'000}).ok());
  }

  void produce(int number) {
    const auto producer = producer::make(over_, {});
    const auto limit = wait_limit::after(milliseconds{30'000});
    auto topic = producer->topic("t", limit);
    ASSERT_TRUE(topic.ok()) << topic.failure().message;
    for (int i = 0; i < records_each; ++i) {
      const std::string value = fmt::format("{} {}", number, i);
      outgoing_record record;
      record.key = as_bytes(value);
      record.value = as_bytes(value);
      const auto sent = producer->send(**topic, record, limit);
      ASSERT_TRUE(sent.ok()) << sent.failure().message;
      if (i % 500 == 0) {
        ASSERT_TRUE(sent->batch->wait(limit).ok());
      }
    }
    const status closed = producer->close(limit);
    ASSERT_TRUE(closed.ok()) << closed.failure().message;
  }

  // Reads as a member of the group, leaving and coming back now and then, until all was seen.
  void consume(std::uint64_t seed) {
    seeded_random random(seed);
    while (!all_seen()) {
      consumer_options options;
      options.group_id = "g";
      options.auto_offset_reset = offset_reset::earliest;
      options.heartbeat_interval_ms = 20;
      options.auto_commit_interval_ms = 50;
      options.session_timeout_ms = 10'000;
      const auto consumer = consumer::make(over_, options);
      ASSERT_TRUE(consumer->subscribe({"t"}).ok());
      const std::uint64_t patience = 200 + random.below(800);
      read_some(*consumer, patience);
      const status closed = consumer->close(true, wait_limit::after(milliseconds{10'000}));
      // A rebalance under way refuses the commit: the records come again, to somebody.
      if (!closed.ok()) {
        EXPECT_TRUE(is_rebalance(closed.code())) << closed.failure().message;
      }
    }
  }

  void read_some(consumer& from, std::uint64_t patience) {
    for (std::uint64_t taken = 0; taken < patience && !all_seen();) {
      from.begin_call();
      model::record_view record;
      if (from.take(record)) {
        ++taken;
        see(to_string(*record.value));
        continue;
      }
      const auto filled = from.fill(wait_limit::after(milliseconds{50}));
      ASSERT_TRUE(filled.ok()) << filled.failure().message;
      if (!*filled) ++taken;
    }
  }

  static bool is_rebalance(error_code code) {
    return code == error_code::rebalance_in_progress || code == error_code::illegal_generation ||
           code == error_code::unknown_member_id;
  }

  void see(const std::string& value) {
    const std::lock_guard guard(mutex_);
    ++seen_[value];
  }
  bool all_seen() {
    const std::lock_guard guard(mutex_);
    return seen_.size() == producer_count * records_each ||
           deadline_ < std::chrono::steady_clock::now();
  }

  std::shared_ptr<transport> over_;
  std::mutex mutex_;
  std::map<std::string, int> seen_;
  const std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(120);
};

TEST_F(ThreadsTest, ProducersConsumersRebalancesCloses) {
  const std::uint64_t seed = seed_of_run();
  SCOPED_TRACE(fmt::format("RINGLOG_SEED={}", seed));
  std::vector<std::thread> threads;
  for (int i = 0; i < producer_count; ++i) threads.emplace_back([this, i] { produce(i); });
  for (int i = 0; i < consumer_count; ++i) {
    threads.emplace_back([this, i, seed] { consume(seed * 100 + static_cast<std::uint64_t>(i)); });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(seen_.size(), std::size_t{producer_count * records_each});
}

// Each of them may be the one that looks a topic up, while the others send to it already.
TEST_F(ThreadsTest, SeveralThreadsMeetNewTopicsTogether) {
  constexpr int thread_count = 4;
  constexpr int topic_count = 200;
  const auto limit = wait_limit::after(milliseconds{60'000});
  const auto producer = producer::make(over_, {});
  std::barrier together(thread_count);
  const auto send = [&] {
    for (int i = 0; i < topic_count; ++i) {
      together.arrive_and_wait();
      auto topic = producer->topic(fmt::format("new-{}", i), limit);
      ASSERT_TRUE(topic.ok()) << topic.failure().message;
      const auto sent = producer->send(**topic, {}, limit);
      ASSERT_TRUE(sent.ok()) << sent.failure().message;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back(send);
  for (std::thread& each : threads) each.join();
  const status closed = producer->close(limit);
  EXPECT_TRUE(closed.ok()) << closed.failure().message;
}

}  // namespace
}  // namespace ringlog::client
