// Incremental fetch sessions as clients use them.

#include <map>

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

constexpr std::int16_t version = 17;

class FetchSessionTest : public server_fixture {
 protected:
  void create(std::string_view topic, std::int32_t partitions) {
    create_topics_request request;
    request.timeout_ms = 30'000;
    auto& wanted = request.topics.emplace_back();
    wanted.name = topic;
    wanted.num_partitions = partitions;
    wanted.replication_factor = 1;
    auto client = connect();
    const auto answer = client.ask<create_topics_response>(request, 7);
    ASSERT_EQ(answer.topics.at(0).error_code, 0);
    id_ = answer.topics.at(0).topic_id;
  }

  void append(std::int32_t partition) {
    const byte_buffer batch = batch_of("a record");
    auto request = produce_request_of("orders", batch);
    request.topic_data[0].partition_data[0].index = partition;
    auto client = connect();
    const auto answer = client.ask<produce_response>(request, 9);
    ASSERT_EQ(answer.responses.at(0).partition_responses.at(0).error_code, 0);
  }

  fetch_request request_of(std::int32_t session, std::int32_t epoch,
                           const std::vector<std::int32_t>& partitions) const {
    fetch_request request;
    request.session_id = session;
    request.session_epoch = epoch;
    request.max_wait_ms = 0;
    if (partitions.empty()) return request;
    auto& topic = request.topics.emplace_back();
    topic.topic_id = id_;
    for (const std::int32_t one : partitions) {
      auto& source = topic.partitions.emplace_back();
      source.partition = one;
      source.partition_max_bytes = 1 << 20;
    }
    return request;
  }

  static std::vector<std::int32_t> partitions_of(const fetch_response& answer) {
    std::vector<std::int32_t> all;
    for (const auto& topic : answer.responses) {
      for (const auto& one : topic.partitions) all.push_back(one.partition_index);
    }
    return all;
  }

  uuid id_;
};

TEST_P(FetchSessionTest, NamesPartitionsOnceAndHearsOfNews) {
  start();
  create("orders", 3);
  auto client = connect();
  const auto opened = client.ask<fetch_response>(request_of(0, 0, {0, 1, 2}), version);
  EXPECT_EQ(partitions_of(opened), (std::vector{0, 1, 2}));
  const std::int32_t session = opened.session_id;
  ASSERT_GT(session, 0);
  EXPECT_EQ(serving_->server().fetch_session_count(), 1u);

  const auto quiet = client.ask<fetch_response>(request_of(session, 1, {}), version);
  EXPECT_EQ(quiet.session_id, session);
  EXPECT_TRUE(quiet.responses.empty());

  append(1);
  const auto news = client.ask<fetch_response>(request_of(session, 2, {}), version);
  EXPECT_EQ(partitions_of(news), (std::vector{1}));
  EXPECT_EQ(news.responses.at(0).topic_id, id_);
  EXPECT_GT(news.responses.at(0).partitions.at(0).records->size(), 0u);

  auto request = request_of(session, 3, {1});
  request.topics[0].partitions[0].fetch_offset = 1;
  EXPECT_TRUE(client.ask<fetch_response>(request, version).responses.empty());

  const auto again = client.ask<fetch_response>(request_of(session, 3, {}), version);
  EXPECT_EQ(again.error_code, 71);
  const auto closed = client.ask<fetch_response>(request_of(session, -1, {}), version);
  EXPECT_EQ(closed.error_code, 0);
  EXPECT_EQ(serving_->server().fetch_session_count(), 0u);
  const auto gone = client.ask<fetch_response>(request_of(session, 4, {}), version);
  EXPECT_EQ(gone.error_code, 70);
  EXPECT_EQ(gone.session_id, 0);
}

TEST_P(FetchSessionTest, AWaitingFetchIsWokenByAPartitionItDidNotName) {
  start();
  create("orders", 2);
  auto client = connect();
  const auto opened = client.ask<fetch_response>(request_of(0, 0, {0, 1}), version);
  auto request = request_of(opened.session_id, 1, {});
  request.max_wait_ms = 30'000;
  request.min_bytes = 1;
  client.send(wire_client::frame_of(request, version));
  append(1);
  const auto bytes = client.receive();
  ASSERT_TRUE(bytes.has_value());
  const auto answer = wire_client::decode<fetch_response>(*bytes, version);
  EXPECT_EQ(partitions_of(answer), (std::vector{1}));
}

TEST_P(FetchSessionTest, NoPartitionStarves) {
  start();
  create("orders", 3);
  for (const std::int32_t one : {0, 1, 2}) append(one);
  auto client = connect();
  auto request = request_of(0, 0, {0, 1, 2});
  request.max_bytes = 1;  // one batch
  const auto opened = client.ask<fetch_response>(request, version);
  std::map<std::int32_t, int> times;
  for (std::int32_t epoch = 1; epoch <= 6; ++epoch) {
    request = request_of(opened.session_id, epoch, {});
    request.max_bytes = 1;
    const auto answer = client.ask<fetch_response>(request, version);
    ASSERT_EQ(partitions_of(answer).size(), 1u);
    ++times[partitions_of(answer)[0]];
  }
  EXPECT_EQ(times, (std::map<std::int32_t, int>{{0, 2}, {1, 2}, {2, 2}}));
}

TEST_P(FetchSessionTest, SlotsAreASetting) {
  start({{"max.incremental.fetch.session.cache.slots", "1"}});
  create("orders", 1);
  auto client = connect();
  EXPECT_GT(client.ask<fetch_response>(request_of(0, 0, {0}), version).session_id, 0);
  const auto second = client.ask<fetch_response>(request_of(0, 0, {0}), version);
  EXPECT_EQ(second.session_id, 0);
  EXPECT_EQ(partitions_of(second), (std::vector{0}));
}

INSTANTIATE_TEST_SUITE_P(Engines, FetchSessionTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
