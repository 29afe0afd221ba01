// The clients over a network, against a real server of this process on loopback.

#include <gtest/gtest.h>

#include <thread>

#include "client/consumer.h"
#include "client/producer.h"
#include "client/remote/remote_transport.h"
#include "node/serving.h"

namespace ringlog::client {
namespace {

using remote::remote_options;

constexpr milliseconds long_enough{60'000};

wait_limit soon() { return wait_limit::after(long_enough); }

class RemoteTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = node::open("memory:");
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    node_ = std::move(*opened);
    serve(0);
    port_ = serving_->addresses().front().port();
  }

  void TearDown() override {
    remote::end_network(long_enough);
    stop();
    node_.reset();
    node::close_all(long_enough);
  }

  void serve(std::uint16_t port) {
    node::serving_options options;
    options.listeners.emplace_back().where = {"127.0.0.1", port};
    auto made = node::serving::start(node_, options);
    ASSERT_TRUE(made.ok()) << made.failure().message;
    serving_ = std::move(*made);
  }
  void stop() {
    if (serving_ != nullptr) serving_->close(milliseconds(0));
    serving_.reset();
  }

  remote_options options() const {
    remote_options made;
    made.bootstrap_servers.push_back({"127.0.0.1", port_});
    made.reconnect_backoff_max_ms = 200;
    return made;
  }
  std::shared_ptr<transport> connect() const {
    auto made = remote::connect(options(), soon());
    CHECK(made.ok(), "connect", made.failure().message);
    return std::move(*made);
  }

  void create_topic(const std::string& name, std::int32_t partitions) const {
    const auto over = connect();
    broker::new_topic topic;
    topic.name = name;
    topic.partitions = partitions;
    const auto made = ask<broker::created_topic>(*over, soon(), "create", [&](auto reply) {
      over->broker().create_topic(topic, false, std::move(reply));
    });
    ASSERT_TRUE(made.ok()) << made.failure().message;
    EXPECT_EQ(made->partitions, partitions);
  }

  static sent_record send(producer& by, const std::string& topic, std::string_view value,
                          std::optional<partition_id_t> partition = std::nullopt) {
    const auto to = by.topic(topic, soon());
    CHECK(to.ok(), "topic", to.failure().message);
    outgoing_record record;
    record.value = as_bytes(value);
    record.partition = partition;
    auto sent = by.send(**to, record, soon());
    CHECK(sent.ok(), "send", sent.failure().message);
    return *sent;
  }

  // All values in order, until so many came.
  static std::vector<std::string> read(consumer& by, std::size_t count) {
    std::vector<std::string> values;
    const wait_limit limit = soon();
    model::record_view record;
    while (values.size() < count) {
      by.begin_call();
      if (by.take(record)) {
        values.push_back(to_string(*record.value));
        continue;
      }
      const auto filled = by.fill(limit);
      EXPECT_TRUE(filled.ok()) << filled.failure().message;
      if (!filled.ok() || !*filled) break;
    }
    return values;
  }

  static consumer_options from_the_start() {
    consumer_options options;
    options.auto_offset_reset = offset_reset::earliest;
    return options;
  }

  std::shared_ptr<node::node> node_;
  std::unique_ptr<node::serving> serving_;
  std::uint16_t port_ = 0;
};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> made;
  for (int i = 0; i < count; ++i) made.push_back(std::to_string(i));
  return made;
}

TEST_F(RemoteTest, RecordsAreReadAsTheyWereSent) {
  create_topic("t", 1);
  const auto sender = producer::make(connect(), {});
  sent_record last;
  for (const std::string& value : numbers(1000)) last = send(*sender, "t", value);
  ASSERT_TRUE(sender->flush(soon()).ok());
  EXPECT_FALSE(last.batch->failure());
  EXPECT_EQ(last.batch->base_offset() + last.index, offset_t(999));

  const auto reader = consumer::make(connect(), from_the_start());
  ASSERT_TRUE(reader->assign({{"t", partition_id_t(0)}}).ok());
  EXPECT_EQ(read(*reader, 1000), numbers(1000));
  EXPECT_EQ(reader->high_watermark({"t", partition_id_t(0)}), offset_t(1000));
}

TEST_F(RemoteTest, ATopicIsMadeByNamingItAndKnownByBothSides) {
  const auto over = connect();
  EXPECT_FALSE(over->broker().find_topic("new"));
  const auto sender = producer::make(over, {});
  send(*sender, "new", "1");
  ASSERT_TRUE(sender->flush(soon()).ok());
  EXPECT_TRUE(over->broker().find_topic("new"));
}

TEST_F(RemoteTest, AWaitingFetchIsAnsweredByTheNextRecord) {
  create_topic("t", 3);
  const auto reader = consumer::make(connect(), from_the_start());
  ASSERT_TRUE(
      reader->assign({{"t", partition_id_t(0)}, {"t", partition_id_t(1)}, {"t", partition_id_t(2)}})
          .ok());
  const auto sender = producer::make(connect(), {});
  for (int i = 0; i < 30; ++i) {
    send(*sender, "t", std::to_string(i), partition_id_t(i % 3));
    EXPECT_EQ(read(*reader, 1), std::vector{std::to_string(i)});
  }
}

TEST_F(RemoteTest, APollWithoutTimeGetsThereByAskingAgain) {
  create_topic("t", 1);
  const auto sender = producer::make(connect(), {});
  send(*sender, "t", "value");
  ASSERT_TRUE(sender->flush(soon()).ok());
  consumer_options options = from_the_start();
  options.group_id = "g";
  const auto reader = consumer::make(connect(), options);
  ASSERT_TRUE(reader->subscribe({"t"}).ok());
  model::record_view record;
  const wait_limit limit = soon();
  while (!reader->take(record) && !limit.over()) {
    ASSERT_TRUE(reader->fill(wait_limit::after(milliseconds(0))).ok());
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(to_string(*record.value), "value");
  EXPECT_TRUE(reader->close(true, soon()).ok());
}

TEST_F(RemoteTest, NothingIsLostOrDoubledWhenConnectionsBreak) {
  create_topic("t", 2);
  const auto sender = producer::make(connect(), {});
  std::vector<sent_record> sent;
  std::thread breaker([&] {
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(milliseconds(30));
      stop();
      serve(port_);
    }
  });
  for (int i = 0; i < 4000; ++i) {
    sent.push_back(send(*sender, "t", std::to_string(i), partition_id_t(i % 2)));
    if (i % 20 != 0) continue;
    ASSERT_TRUE(sender->flush(soon()).ok());
  }
  breaker.join();
  ASSERT_TRUE(sender->flush(soon()).ok());
  for (const sent_record& each : sent) ASSERT_FALSE(each.batch->failure());

  const auto reader = consumer::make(connect(), from_the_start());
  for (std::int32_t partition = 0; partition < 2; ++partition) {
    ASSERT_TRUE(reader->assign({{"t", partition_id_t(partition)}}).ok());
    std::vector<std::string> wanted;
    for (int i = partition; i < 4000; i += 2) wanted.push_back(std::to_string(i));
    EXPECT_EQ(read(*reader, wanted.size()), wanted);
  }
}

TEST_F(RemoteTest, AConsumerGoesOnAfterItsBrokerCameBack) {
  create_topic("t", 1);
  const auto sender = producer::make(connect(), {});
  consumer_options options = from_the_start();
  options.group_id = "g";
  const auto reader = consumer::make(connect(), options);
  ASSERT_TRUE(reader->subscribe({"t"}).ok());
  for (int i = 0; i < 4; ++i) {
    send(*sender, "t", std::to_string(i));
    EXPECT_EQ(read(*reader, 1), std::vector{std::to_string(i)});
    ASSERT_TRUE(reader->commit(std::nullopt, soon()).ok());
    stop();
    serve(port_);
  }
  const auto committed = reader->committed({"t", partition_id_t(0)}, soon());
  ASSERT_TRUE(committed.ok()) << committed.failure().message;
  EXPECT_EQ(committed->value().offset, offset_t(4));
  EXPECT_TRUE(reader->close(true, soon()).ok());
}

TEST_F(RemoteTest, AFailureToConnectNamesStageAndCause) {
  remote_options wrong = options();
  wrong.bootstrap_servers = {{"127.0.0.1", 1}};
  auto made = remote::connect(wrong, wait_limit::after(milliseconds(300)));
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.failure().message.find("127.0.0.1:1: TCP: "), std::string::npos)
      << made.failure().message;
  EXPECT_NE(made.failure().message.find("refused"), std::string::npos) << made.failure().message;

  wrong.bootstrap_servers = {{"no-such-host.invalid", 9092}};
  made = remote::connect(wrong, wait_limit::after(milliseconds(3000)));
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.failure().message.find("no-such-host.invalid"), std::string::npos);
}

TEST_F(RemoteTest, AfterTheEndEveryCallSaysSo) {
  const auto over = connect();
  remote::end_network(milliseconds(0));
  EXPECT_EQ(over->check_usable().code(), error_code::closed);
  const auto outcome = ask<offset_t>(*over, soon(), "delete", [&](auto reply) {
    over->broker().delete_records({"t", partition_id_t(0)}, offset_t(0), std::move(reply));
  });
  EXPECT_EQ(outcome.code(), error_code::closed);
  EXPECT_TRUE(connect()->check_usable().ok());  // a fresh start
}

}  // namespace
}  // namespace ringlog::client
