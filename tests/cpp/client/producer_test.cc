#include "client/producer.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "model/partitioner.h"
#include "scripted_broker.h"

namespace ringlog::client {
namespace {

using fate = scripted_broker::fate;

class ProducerTest : public ::testing::Test {
 protected:
  ~ProducerTest() override {
    broker_.held.clear();
    engine_.drop_all();
  }

  std::shared_ptr<producer> make(producer_options options = {}) {
    return producer::make(over_, std::move(options));
  }

  sent_record send(producer& by, const std::string& value, const std::string& topic = "t") {
    producer_topic* to = *by.topic(topic, wait_limit::after(milliseconds(1000)));
    outgoing_record record;
    record.value = as_bytes(value);
    auto sent = by.try_send(*to, record);
    EXPECT_TRUE(sent.ok()) << sent.failure().message;
    return *sent;
  }

  static std::vector<std::string> numbers(int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(std::to_string(i));
    return all;
  }

  std::shared_ptr<scripted_transport> over_ = std::make_shared<scripted_transport>();
  scripted_broker& broker_ = over_->broker();
  manual_executor& engine_ = over_->engine();
};

TEST_F(ProducerTest, FirstRecordLeavesAtOnceAndLaterOnesGather) {
  const auto by = make();
  broker_.hold_answers = true;
  const sent_record first = send(*by, "0");
  engine_.run();
  EXPECT_EQ(broker_.requests, 1);
  for (int i = 1; i < 100; ++i) EXPECT_EQ(send(*by, std::to_string(i)).index, i - 1);
  EXPECT_EQ(broker_.requests, 1);
  EXPECT_FALSE(first.batch->done());
  broker_.answer(1);
  EXPECT_TRUE(first.batch->done());
  EXPECT_EQ(first.batch->base_offset(), offset_t(0));
  EXPECT_EQ(broker_.requests, 2);
  EXPECT_EQ(broker_.values("t"), numbers(100));
}

TEST_F(ProducerTest, LingerWaitsForItsTimeOrForSomebodyWhoWaits) {
  producer_options options;
  options.linger_ms = 50;
  const auto by = make(options);
  send(*by, "0");
  send(*by, "1");
  engine_.advance(milliseconds(49));
  EXPECT_EQ(broker_.requests, 0);
  engine_.advance(milliseconds(2));
  EXPECT_EQ(broker_.requests, 1);
  const sent_record third = send(*by, "2");
  engine_.run();
  EXPECT_EQ(broker_.requests, 1);
  EXPECT_EQ(third.batch->wait(wait_limit::after(milliseconds(0))).code(), error_code::timed_out);
  engine_.run();
  EXPECT_TRUE(third.batch->done());
  EXPECT_EQ(broker_.values("t"), numbers(3));
}

TEST_F(ProducerTest, AtMostFiveAreInFlightAndTheNextGrows) {
  producer_options options;
  options.batch_size = 1000;
  const auto by = make(options);
  send(*by, "warm-up");
  engine_.run();
  broker_.hold_answers = true;
  for (int i = 0; i < 1000; ++i) send(*by, std::string(100, 'x'));
  EXPECT_EQ(broker_.in_flight_most, 5);
  EXPECT_EQ(broker_.requests, 6);
  broker_.answer();
  EXPECT_EQ(broker_.values("t").size(), 1001u);
  EXPECT_LE(broker_.requests, 8) << "what waited went as one batch";
}

TEST_F(ProducerTest, WhatIsCompressedDoesNotGrow) {
  producer_options options;
  options.batch_size = 1000;
  options.compression = compression_type::zstd;
  const auto by = make(options);
  send(*by, "warm-up");
  engine_.run();
  broker_.hold_answers = true;
  for (int i = 0; i < 200; ++i) send(*by, std::string(100, 'x'));
  broker_.answer();
  int count = 0;
  for (const byte_buffer& bytes : broker_.logs[{"t", partition_id_t(0)}].batches) {
    const model::batch_view batch(bytes);
    EXPECT_EQ(batch.compression(), compression_type::zstd);
    EXPECT_LE(batch.count(), 9);
    count += batch.count();
  }
  EXPECT_EQ(count, 201);
  EXPECT_EQ(broker_.in_flight_most, 5);
}

TEST_F(ProducerTest, BatchesStayBelowWhatTheTopicTakes) {
  broker_.message_bytes_max = 5000;
  const auto by = make();
  send(*by, "warm-up");
  engine_.run();
  broker_.hold_answers = true;
  for (int i = 0; i < 1000; ++i) send(*by, std::string(100, 'x'));
  broker_.answer();
  for (const byte_buffer& batch : broker_.logs[{"t", partition_id_t(0)}].batches) {
    EXPECT_LE(batch.size(), 5000u);
  }
  EXPECT_EQ(broker_.values("t").size(), 1001u);
}

TEST_F(ProducerTest, PassingFailuresAreSentAgainInOrder) {
  const auto by = make();
  broker_.fates = {{fate::refused, error_code::no_memory}, {fate::refused, error_code::no_memory}};
  std::vector<sent_record> sent;
  for (const std::string& value : numbers(10)) {
    sent.push_back(send(*by, value));
    engine_.run();
  }
  EXPECT_FALSE(sent[0].batch->done());
  for (int i = 0; i < 10; ++i) engine_.advance(milliseconds(100));
  for (const sent_record& each : sent) {
    ASSERT_TRUE(each.batch->done());
    EXPECT_FALSE(each.batch->failure());
  }
  EXPECT_EQ(broker_.values("t"), numbers(10));
}

TEST_F(ProducerTest, LostAnswersMakeNoDuplicates) {
  producer_options options;
  options.batch_size = 1;  // a batch per record
  const auto by = make(options);
  send(*by, "0");
  engine_.run();
  broker_.hold_answers = true;
  broker_.fates = {{fate::appended, error_code::internal},
                   {fate::appended_answer_lost, error_code::timed_out},
                   {fate::appended, error_code::internal}};
  std::vector<sent_record> sent;
  for (const char* value : {"1", "2", "3", "4"}) sent.push_back(send(*by, value));
  broker_.hold_answers = false;
  broker_.answer();
  for (int i = 0; i < 20; ++i) engine_.advance(milliseconds(100));
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(sent[i].batch->done()) << i;
    EXPECT_FALSE(sent[i].batch->failure()) << sent[i].batch->failure()->message;
  }
  EXPECT_EQ(broker_.values("t"), numbers(5));
}

TEST_F(ProducerTest, ABatchThatFailsForGoodDoesNotHoldUpTheOthers) {
  const auto by = make();
  send(*by, "0");
  engine_.run();
  broker_.fates = {{fate::refused, error_code::message_too_large}};
  const sent_record bad = send(*by, "bad");
  engine_.run();
  ASSERT_TRUE(bad.batch->done());
  EXPECT_EQ(bad.batch->failure()->code, error_code::message_too_large);
  const sent_record good = send(*by, "1");
  engine_.run();
  ASSERT_TRUE(good.batch->done());
  EXPECT_FALSE(good.batch->failure()) << good.batch->failure()->message;
  EXPECT_EQ(broker_.values("t"), numbers(2));
}

TEST_F(ProducerTest, AForgottenProducerGoesOnUnderAnotherId) {
  const auto by = make();
  send(*by, "0");
  engine_.run();
  broker_.logs[{"t", partition_id_t(0)}].producer = 7;  // its state expired
  const sent_record next = send(*by, "1");
  for (int i = 0; i < 5; ++i) engine_.advance(milliseconds(100));
  ASSERT_TRUE(next.batch->done());
  EXPECT_FALSE(next.batch->failure()) << next.batch->failure()->message;
  EXPECT_EQ(broker_.values("t"), numbers(2));
}

TEST_F(ProducerTest, DeliveryTimesOut) {
  producer_options options;
  options.delivery_timeout_ms = 500;
  const auto by = make(options);
  for (int i = 0; i < 100; ++i) broker_.fates.push_back({fate::refused, error_code::no_memory});
  const sent_record sent = send(*by, "0");
  for (int i = 0; i < 4; ++i) engine_.advance(milliseconds(100));
  EXPECT_FALSE(sent.batch->done());
  for (int i = 0; i < 4; ++i) engine_.advance(milliseconds(100));
  ASSERT_TRUE(sent.batch->done());
  EXPECT_EQ(sent.batch->failure()->code, error_code::timed_out);
}

TEST_F(ProducerTest, PartitionsAreChosenAsKafkaDoes) {
  broker_.add_topic("p", 12);
  const auto by = make();
  producer_topic* to = *by->topic("p", wait_limit::after(milliseconds(0)));
  ASSERT_EQ(by->partition_count(*to), 12);
  outgoing_record record;
  record.key = as_bytes("key-0");
  EXPECT_EQ(by->try_send(*to, record)->partition, model::partition_for_key(*record.key, 12));
  record.partition = partition_id_t(11);
  EXPECT_EQ(by->try_send(*to, record)->partition, partition_id_t(11));
  for (const int bad : {12, -1}) {
    record.partition = partition_id_t(bad);
    EXPECT_EQ(by->try_send(*to, record).code(), error_code::invalid_argument);
  }
  std::set<partition_id_t> random;
  record = {};
  record.value = as_bytes("v");
  for (int i = 0; i < 400; ++i) random.insert(by->try_send(*to, record)->partition);
  EXPECT_EQ(random.size(), 12u);
}

TEST_F(ProducerTest, StickyStaysUntilTheBatchCloses) {
  broker_.add_topic("p", 12);
  producer_options options;
  options.null_keys = null_key_partitioning::sticky;
  options.linger_ms = 1000;
  options.batch_size = 1000;
  const auto by = make(options);
  producer_topic* to = *by->topic("p", wait_limit::after(milliseconds(0)));
  outgoing_record record;
  const std::string value(100, 'x');
  record.value = as_bytes(value);
  std::vector<partition_id_t> chosen;
  for (int i = 0; i < 200; ++i) chosen.push_back(by->try_send(*to, record)->partition);
  int changes = 0;
  for (std::size_t i = 1; i < chosen.size(); ++i) changes += chosen[i] != chosen[i - 1] ? 1 : 0;
  EXPECT_GE(changes, 5);
  EXPECT_LE(changes, 40);
}

TEST_F(ProducerTest, NewPartitionsAreNoticed) {
  broker_.add_topic("p", 1);
  const auto by = make();
  producer_topic* to = *by->topic("p", wait_limit::after(milliseconds(0)));
  broker_.add_topic("p", 3);
  outgoing_record record;
  record.value = as_bytes("v");
  record.partition = partition_id_t(2);
  EXPECT_TRUE(by->try_send(*to, record).ok());
  EXPECT_EQ(by->partition_count(*to), 3);
}

TEST_F(ProducerTest, UnknownTopics) {
  producer_options options;
  options.allow_auto_create_topics = false;
  EXPECT_EQ(make(options)->topic("none", wait_limit::after(milliseconds(0))).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(make()->topic("a b", wait_limit::after(milliseconds(0))).code(),
            error_code::invalid_topic);
  EXPECT_TRUE(make()->topic("made", wait_limit::after(milliseconds(0))).ok());
}

TEST_F(ProducerTest, TooLargeIsRefusedAtOnce) {
  producer_options options;
  options.max_request_size = 2000;
  const auto by = make(options);
  producer_topic* to = *by->topic("t", wait_limit::after(milliseconds(0)));
  outgoing_record record;
  const std::string value(2000, 'x');
  record.value = as_bytes(value);
  EXPECT_EQ(by->try_send(*to, record).code(), error_code::message_too_large);
  record.value = as_bytes("v");
  record.timestamp = -5;
  EXPECT_EQ(by->try_send(*to, record).code(), error_code::invalid_argument);
}

TEST_F(ProducerTest, WithoutRoomSendWaits) {
  producer_options options;
  options.buffer_memory = 20'000;
  const auto by = make(options);
  producer_topic* to = *by->topic("t", wait_limit::after(milliseconds(0)));
  outgoing_record record;
  const std::string value(1000, 'x');
  record.value = as_bytes(value);
  broker_.hold_answers = true;
  int taken = 0;
  while (by->try_send(*to, record).ok()) ++taken;
  engine_.run();
  EXPECT_GE(taken, 14);
  EXPECT_LE(taken, 20);
  EXPECT_EQ(by->send(*to, record, wait_limit::after(milliseconds(20))).code(),
            error_code::timed_out);
  std::thread later([&] {
    std::this_thread::sleep_for(milliseconds(50));
    broker_.answer(1);
  });
  EXPECT_TRUE(by->send(*to, record, wait_limit::after(milliseconds(10'000))).ok());
  later.join();
  callback<status()> stop = [] { return status(error{error_code::interrupted, "signal"}); };
  while (by->try_send(*to, record).ok()) {
  }
  EXPECT_EQ(by->send(*to, record, wait_limit::after(milliseconds(10'000), &stop)).code(),
            error_code::interrupted);
}

TEST_F(ProducerTest, CallbacksRunInOffsetOrder) {
  producer_options options;
  options.batch_size = 1;
  const auto by = make(options);
  broker_.hold_answers = true;
  std::vector<int> order;
  for (int i = 0; i < 20; ++i) {
    send(*by, std::to_string(i)).batch->when_done([&order, i] { order.push_back(i); });
  }
  engine_.run();
  broker_.answer();
  std::vector<int> wanted(20);
  std::iota(wanted.begin(), wanted.end(), 0);
  EXPECT_EQ(order, wanted);
}

TEST_F(ProducerTest, FlushAndClose) {
  producer_options options;
  options.linger_ms = 10'000;
  const auto by = make(options);
  const sent_record sent = send(*by, "0");
  EXPECT_EQ(by->flush(wait_limit::after(milliseconds(0))).code(), error_code::timed_out);
  engine_.run();
  EXPECT_TRUE(by->flush(wait_limit::after(milliseconds(0))).ok());
  EXPECT_TRUE(sent.batch->done());
  const sent_record stuck = send(*by, "1");
  EXPECT_EQ(by->close(wait_limit::after(milliseconds(0))).code(), error_code::timed_out);
  EXPECT_EQ(stuck.batch->failure()->code, error_code::timed_out);
  EXPECT_EQ(by->topic("t", wait_limit::after(milliseconds(0))).code(), error_code::closed);
}

TEST_F(ProducerTest, ALetGoProducerDeliversWhatItTook) {
  producer_options options;
  options.linger_ms = 10'000;
  auto by = make(options);
  std::vector<sent_record> sent;
  for (const std::string& value : numbers(10)) sent.push_back(send(*by, value));
  by.reset();
  engine_.run();
  EXPECT_TRUE(sent.back().batch->done());
  EXPECT_FALSE(sent.back().batch->failure());
  EXPECT_EQ(broker_.values("t"), numbers(10));
}

TEST_F(ProducerTest, ManyThreadsOneProducer) {
  broker_.add_topic("t", 4);
  producer_options options;
  options.buffer_memory = 200'000;
  const auto by = make(options);
  std::atomic<bool> stop{false};
  std::thread engine([&] {
    while (!stop) {
      if (!engine_.run()) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  constexpr int thread_count = 4;
  constexpr int per_thread = 5'000;
  std::atomic<int> delivered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < thread_count; ++thread) {
    threads.emplace_back([&, thread] {
      const auto limit = wait_limit::after(milliseconds(30'000));
      producer_topic* to = *by->topic("t", limit);
      for (int i = 0; i < per_thread; ++i) {
        outgoing_record record;
        const std::string value = fmt::format("{}:{}", thread, i);
        record.value = as_bytes(value);
        record.partition = partition_id_t(thread % 4);
        auto sent = by->send(*to, record, limit);
        ASSERT_TRUE(sent.ok()) << sent.failure().message;
        sent->batch->when_done([&delivered] { ++delivered; });
        if (i % 1000 == 0) {
          ASSERT_TRUE(sent->batch->wait(limit).ok());
        }
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_TRUE(by->close(wait_limit::after(milliseconds(30'000))).ok());
  stop = true;
  engine.join();
  EXPECT_EQ(delivered, thread_count * per_thread);
  for (int partition = 0; partition < 4; ++partition) {
    const auto values = broker_.values("t", partition);
    ASSERT_EQ(values.size(), static_cast<std::size_t>(per_thread));
    for (int i = 0; i < per_thread; ++i) {
      ASSERT_EQ(values[static_cast<std::size_t>(i)], fmt::format("{}:{}", partition, i));
    }
  }
}

}  // namespace
}  // namespace ringlog::client
