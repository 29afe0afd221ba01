// What is asked for wrongly, and what would be answered too largely.

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class RefusedTest : public server_fixture {
 protected:
  int produce(std::string_view topic, bytes_view records, std::int16_t acks) const {
    auto client = connect();
    const auto answer = client.ask<produce_response>(produce_request_of(topic, records, acks), 9);
    return answer.responses.at(0).partition_responses.at(0).error_code;
  }
};

TEST_P(RefusedTest, ProduceSaysFirstWhatIsNotThere) {
  start();
  create_topic("orders");
  const byte_buffer batch = batch_of("a");
  EXPECT_EQ(produce("unknown", batch, 5), 3);
  EXPECT_EQ(produce("unknown", {}, -1), 3);
  EXPECT_EQ(produce("orders", {}, 5), 87);
  EXPECT_EQ(produce("orders", batch, 5), 21);
  EXPECT_EQ(produce("orders", batch, -1), 0);
}

TEST_P(RefusedTest, LeaderEpochsThatAreNotOurs) {
  start();
  create_topic("orders");
  EXPECT_EQ(produce("orders", batch_of("a"), -1), 0);
  auto client = connect();
  const auto list = [&](std::int32_t epoch) {
    list_offsets_request request;
    auto& topic = request.topics.emplace_back();
    topic.name = "orders";
    auto& asked = topic.partitions.emplace_back();
    asked.current_leader_epoch = epoch;
    asked.timestamp = -1;
    return client.ask<list_offsets_response>(request, 10).topics.at(0).partitions.at(0);
  };
  const std::int32_t ours = list(-1).leader_epoch;
  EXPECT_EQ(ours, 0);
  EXPECT_EQ(list(ours).error_code, 0);
  EXPECT_EQ(list(ours).offset, 1);
  EXPECT_EQ(list(ours + 1).error_code, 75);
  EXPECT_EQ(list(ours + 1).offset, -1);
  const auto end_of = [&](std::int32_t epoch) {
    offset_for_leader_epoch_request request;
    auto& topic = request.topics.emplace_back();
    topic.topic = "orders";
    auto& asked = topic.partitions.emplace_back();
    asked.current_leader_epoch = epoch;
    asked.leader_epoch = ours;
    return client.ask<offset_for_leader_epoch_response>(request, 4).topics.at(0).partitions.at(0);
  };
  EXPECT_EQ(end_of(ours).end_offset, 1);
  EXPECT_EQ(end_of(ours + 1).error_code, 75);
  EXPECT_EQ(end_of(-1).error_code, 0);
  list_offsets_request missing;
  auto& topic = missing.topics.emplace_back();
  topic.name = "orders";
  auto& asked = topic.partitions.emplace_back();
  asked.partition_index = 9;
  asked.current_leader_epoch = 7;
  EXPECT_EQ(client.ask<list_offsets_response>(missing, 10).topics.at(0).partitions.at(0).error_code,
            3);
}

TEST_P(RefusedTest, MetadataTellsOfATopicOnce) {
  start();
  create_topic("orders");
  metadata_request request;
  for (int i = 0; i < 1000; ++i) request.topics->emplace_back().name = "orders";
  auto client = connect();
  EXPECT_EQ(client.ask<metadata_response>(request, 12).topics.size(), 1u);
}

// A request of some kilobytes that would be answered with gigabytes.
TEST_P(RefusedTest, DescriptionsEndWhereThereIsNoMoreRoom) {
  start();
  describe_configs_request request;
  request.include_documentation = true;
  request.include_synonyms = true;
  for (int i = 0; i < 3000; ++i) {
    auto& asked = request.resources.emplace_back();
    asked.resource_type = 4;
    asked.resource_name = "1";
  }
  auto client = connect();
  const auto answer = client.ask<describe_configs_response>(request, 4);
  ASSERT_EQ(answer.results.size(), 3000u);
  EXPECT_EQ(answer.results.front().error_code, 0);
  EXPECT_GT(answer.results.front().configs.size(), 100u);
  EXPECT_EQ(answer.results.back().error_code, 42);
  EXPECT_TRUE(answer.results.back().configs.empty());
  EXPECT_TRUE(answer.results.back().error_message->ends_with("ask for less at once"));
  expect_served();
}

INSTANTIATE_TEST_SUITE_P(Engines, RefusedTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
