// The producer over a real log: what it sent is what a consumer reads, in every codec, and what
// the broker refuses comes back as the record's outcome.

#include <gtest/gtest.h>

#include "client/consumer.h"
#include "client/embedded_transport.h"
#include "client/producer.h"
#include "node/node.h"
#include "random_seed.h"

namespace ringlog::client {
namespace {

wait_limit soon() { return wait_limit::after(milliseconds{20'000}); }

struct owned_record {
  std::optional<byte_buffer> key;
  std::optional<byte_buffer> value;
  std::vector<std::pair<std::string, std::optional<byte_buffer>>> headers;
  std::int64_t timestamp = 0;
  bool operator==(const owned_record&) const = default;
};

std::optional<bytes_view> view(const std::optional<byte_buffer>& field) {
  if (!field) return std::nullopt;
  return bytes_view(*field);
}

std::optional<byte_buffer> own(const std::optional<bytes_view>& field) {
  if (!field) return std::nullopt;
  return to_buffer(*field);
}

std::optional<byte_buffer> random_field(random_source& random) {
  if (random.one_in(6)) return std::nullopt;
  byte_buffer bytes(random.below(random.one_in(30) ? 20'000 : 200));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(8));
  return bytes;
}

owned_record random_record(random_source& random) {
  owned_record record;
  record.key = random_field(random);
  record.value = random_field(random);
  for (auto left = random.below(3); left > 0; --left) {
    record.headers.emplace_back(fmt::format("h{}", random.below(3)), random_field(random));
  }
  record.timestamp = 1'760'000'000'000 + static_cast<std::int64_t>(random.below(100'000));
  return record;
}

owned_record own(const model::record_view& record) {
  owned_record owned{own(record.key), own(record.value), {}, record.timestamp};
  model::record_header_iterator headers = record.headers();
  for (model::record_header_view header; headers.next(header);) {
    owned.headers.emplace_back(std::string(header.key), own(header.value));
  }
  return owned;
}

class ProducerNodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = node::open("memory:producer");
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    over_ = make_embedded_transport(*opened);
  }
  void TearDown() override {
    over_.reset();
    EXPECT_TRUE(node::close("memory:producer", milliseconds{10'000}).ok());
  }

  void create(const std::string& name, std::int32_t partitions, broker::config_map configs = {}) {
    broker::new_topic topic;
    topic.name = name;
    topic.partitions = partitions;
    topic.configs = std::move(configs);
    const auto made = await<broker::created_topic>(soon(), "create", [&](auto reply) {
      over_->broker().create_topic(topic, false, std::move(reply));
    });
    ASSERT_TRUE(made.ok()) << made.failure().message;
  }

  void drop(const std::string& name) {
    const auto dropped = await<uuid>(soon(), "delete", [&](auto reply) {
      over_->broker().delete_topic(name, std::move(reply));
    });
    ASSERT_TRUE(dropped.ok()) << dropped.failure().message;
  }

  static result<sent_record> send(producer& by, producer_topic& to, const owned_record& record) {
    std::vector<model::record_header_view> headers;
    for (const auto& [key, value] : record.headers) headers.push_back({key, view(value)});
    outgoing_record outgoing{view(record.key), view(record.value), headers, std::nullopt,
                             record.timestamp};
    return by.send(to, outgoing, soon());
  }

  std::vector<owned_record> read(const std::string& topic, std::size_t count) {
    consumer_options options;
    options.auto_offset_reset = offset_reset::earliest;
    const auto from = consumer::make(over_, options);
    EXPECT_TRUE(from->assign({{topic, partition_id_t(0)}}).ok());
    std::vector<owned_record> records;
    const auto limit = soon();
    while (records.size() < count && !limit.over()) {
      from->begin_call();
      model::record_view record;
      if (from->take(record)) {
        EXPECT_EQ(record.offset.value(), static_cast<std::int64_t>(records.size()));
        records.push_back(own(record));
      } else {
        EXPECT_TRUE(from->fill(limit).ok());
      }
    }
    return records;
  }

  std::shared_ptr<transport> over_;
};

TEST_F(ProducerNodeTest, WhatIsSentIsWhatIsReadInEveryCodec) {
  seeded_random random(test_seed());
  for (const auto type : {compression_type::none, compression_type::gzip, compression_type::snappy,
                          compression_type::lz4, compression_type::zstd}) {
    const std::string topic = fmt::format("codec-{}", static_cast<int>(type));
    create(topic, 1);
    producer_options options;
    options.compression = type;
    options.linger_ms = random.one_in(2) ? 0 : 5;
    const auto by = producer::make(over_, options);
    producer_topic* to = *by->topic(topic, soon());
    std::vector<owned_record> records(2'000);
    std::vector<sent_record> sent;
    for (owned_record& record : records) {
      record = random_record(random);
      sent.push_back(*send(*by, *to, record));
    }
    ASSERT_TRUE(by->flush(soon()).ok());
    for (std::size_t i = 0; i < sent.size(); ++i) {
      ASSERT_TRUE(sent[i].batch->done());
      ASSERT_FALSE(sent[i].batch->failure()) << sent[i].batch->failure()->message;
      ASSERT_EQ(sent[i].batch->base_offset().value() + sent[i].index, static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(read(topic, records.size()), records) << topic;
  }
}

TEST_F(ProducerNodeTest, AppendTimeComesBack) {
  create("stamped", 1, {{"message.timestamp.type", "LogAppendTime"}});
  const auto by = producer::make(over_, {});
  const auto sent = send(*by, **by->topic("stamped", soon()), {{}, byte_buffer(3), {}, 1000});
  ASSERT_TRUE(sent->batch->wait(soon()).ok());
  EXPECT_GT(sent->batch->log_append_timestamp(), 1'700'000'000'000);
  EXPECT_EQ(read("stamped", 1).at(0).timestamp, sent->batch->log_append_timestamp());
}

TEST_F(ProducerNodeTest, WhatTheTopicDoesNotTakeFailsAlone) {
  create("small", 1, {{"max.message.bytes", "1000"}});
  const auto by = producer::make(over_, {});
  producer_topic* to = *by->topic("small", soon());
  std::vector<sent_record> good;
  for (int i = 0; i < 50; ++i) good.push_back(*send(*by, *to, {{}, byte_buffer(100), {}, 1}));
  const auto bad = send(*by, *to, {{}, byte_buffer(5'000), {}, 1});
  for (int i = 0; i < 50; ++i) good.push_back(*send(*by, *to, {{}, byte_buffer(100), {}, 1}));
  ASSERT_TRUE(by->flush(soon()).ok());
  ASSERT_TRUE(bad->batch->failure().has_value());
  EXPECT_EQ(bad->batch->failure()->code, error_code::message_too_large);
  for (const sent_record& each : good) {
    EXPECT_FALSE(each.batch->failure()) << each.batch->failure()->message;
  }
  EXPECT_EQ(read("small", 100).size(), 100u);
}

TEST_F(ProducerNodeTest, ATopicMadeAgainIsFound) {
  create("again", 3);
  const auto by = producer::make(over_, {});
  producer_topic* to = *by->topic("again", soon());
  ASSERT_TRUE(send(*by, *to, {{}, byte_buffer(1), {}, 1})->batch->wait(soon()).ok());
  drop("again");
  create("again", 1);
  for (int i = 0; i < 10; ++i) {
    const auto sent = send(*by, *to, {{}, byte_buffer(1), {}, 1});
    ASSERT_TRUE(sent.ok()) << sent.failure().message;
    ASSERT_TRUE(sent->batch->wait(soon()).ok());
    ASSERT_FALSE(sent->batch->failure()) << sent->batch->failure()->message;
  }
  EXPECT_EQ(by->partition_count(*to), 1);
  EXPECT_EQ(read("again", 10).size(), 10u);
}

TEST_F(ProducerNodeTest, WithoutAcksNoOffset) {
  producer_options options;
  options.acks = broker::required_acks::none;
  options.enable_idempotence = false;
  const auto by = producer::make(over_, options);
  const auto sent = send(*by, **by->topic("none", soon()), {{}, byte_buffer(3), {}, 1});
  ASSERT_TRUE(sent->batch->wait(soon()).ok());
  EXPECT_FALSE(sent->batch->failure());
  EXPECT_EQ(sent->batch->base_offset(), no_offset);
}

TEST_F(ProducerNodeTest, ClosedUnderItsProducer) {
  const auto by = producer::make(over_, {});
  producer_topic* to = *by->topic("t", soon());
  ASSERT_TRUE(send(*by, *to, {{}, byte_buffer(3), {}, 1})->batch->wait(soon()).ok());
  ASSERT_TRUE(node::close("memory:producer", milliseconds{10'000}).ok());
  const auto sent = send(*by, *to, {{}, byte_buffer(3), {}, 1});
  if (sent.ok()) {
    ASSERT_TRUE(sent->batch->wait(soon()).ok());
    ASSERT_TRUE(sent->batch->failure().has_value());
    EXPECT_EQ(sent->batch->failure()->code, error_code::closed);
  } else {
    EXPECT_EQ(sent.code(), error_code::closed);
  }
}

}  // namespace
}  // namespace ringlog::client
