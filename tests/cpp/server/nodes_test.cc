// Several brokers for clients to see.

#include <array>
#include <set>

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class NodesTest : public server_fixture {
 protected:
  void SetUp() override {
    server_fixture::SetUp();
    options_.nodes = 3;
  }

  wire_client connect_to(std::int32_t node) const {
    return wire_client(serving_->addresses().at(static_cast<std::size_t>(node - 1)));
  }

  create_topics_response::topic_result create(std::string_view name, std::int32_t partitions,
                                              std::int16_t replicas,
                                              std::vector<std::vector<std::int32_t>> named = {}) {
    create_topics_request request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = replicas;
    for (auto& brokers : named) {
      auto& assigned = topic.assignments.emplace_back();
      assigned.partition_index = static_cast<std::int32_t>(topic.assignments.size()) - 1;
      assigned.broker_ids = std::move(brokers);
    }
    auto client = connect_to(2);
    return client.ask<create_topics_response>(request, 7).topics.at(0);
  }

  metadata_response ask_metadata(std::string_view topic, std::int32_t node = 1) const {
    metadata_request request;
    request.allow_auto_topic_creation = false;
    request.topics->emplace_back().name = topic;
    auto client = connect_to(node);
    return client.ask<metadata_response>(request, 12);
  }
};

TEST_P(NodesTest, AreShownWithTheirPortsAndTheirShareOfTheLeaders) {
  start();
  EXPECT_EQ(create("orders", 6, 3).error_code, 0);
  for (std::int32_t node = 1; node <= 3; ++node) {
    const auto answer = ask_metadata("orders", node);
    ASSERT_EQ(answer.brokers.size(), 3u);
    for (std::int32_t i = 0; i < 3; ++i) {
      const auto& broker = answer.brokers[static_cast<std::size_t>(i)];
      EXPECT_EQ(broker.node_id, i + 1);
      EXPECT_EQ(broker.port, serving_->addresses().at(static_cast<std::size_t>(i)).port());
    }
    std::multiset<std::int32_t> leaders;
    for (const auto& partition : answer.topics.at(0).partitions) {
      leaders.insert(partition.leader_id);
      EXPECT_EQ(partition.replica_nodes.front(), partition.leader_id);
      EXPECT_EQ(partition.isr_nodes.size(), 3u);
    }
    EXPECT_EQ(leaders, (std::multiset<std::int32_t>{1, 1, 2, 2, 3, 3}));
  }
}

TEST_P(NodesTest, TakeReplicationFactorsUpToTheirNumber) {
  start();
  EXPECT_EQ(create("two", 1, 2).replication_factor, 2);
  EXPECT_EQ(create("one", 1, -1).replication_factor, 1);
  EXPECT_EQ(create("four", 1, 4).error_code, 38);
  EXPECT_EQ(create("none", 1, 0).error_code, 38);
  EXPECT_EQ(create("named", -1, -1, {{3, 1}, {2, 3}}).error_code, 0);
  const auto answer = ask_metadata("named");
  const auto& partitions = answer.topics.at(0).partitions;
  ASSERT_EQ(partitions.size(), 2u);
  EXPECT_EQ(partitions[0].replica_nodes, (std::vector<std::int32_t>{3, 1}));
  EXPECT_EQ(partitions[1].leader_id, 2);
  EXPECT_EQ(create("elsewhere", -1, -1, {{4}}).error_code, 39);
  EXPECT_EQ(create("twice", -1, -1, {{2, 2}}).error_code, 39);
}

TEST_P(NodesTest, AnswerForWhatTheyLead) {
  start();
  EXPECT_EQ(create("named", -1, -1, {{2}}).error_code, 0);
  const byte_buffer batch = batch_of("a");
  for (std::int32_t node = 1; node <= 3; ++node) {
    const int expected = node == 2 ? 0 : 6;
    auto client = connect_to(node);
    const auto produced = client.ask<produce_response>(produce_request_of("named", batch), 9);
    EXPECT_EQ(produced.responses.at(0).partition_responses.at(0).error_code, expected);
    list_offsets_request listing;
    auto& topic = listing.topics.emplace_back();
    topic.name = "named";
    topic.partitions.emplace_back().timestamp = -2;
    const auto listed = client.ask<list_offsets_response>(listing, 7);
    EXPECT_EQ(listed.topics.at(0).partitions.at(0).error_code, expected);
  }
  for (std::int32_t node = 1; node <= 3; ++node) {
    auto client = connect_to(node);
    const auto fetched = client.ask<fetch_response>(fetch_request_of("named", 0), 12);
    const auto& partition = fetched.responses.at(0).partitions.at(0);
    EXPECT_EQ(partition.error_code, node == 2 ? 0 : 6);
    EXPECT_EQ(partition.records->size(), node == 2 ? batch.size() : 0);
  }
}

TEST_P(NodesTest, CoordinateTheirShareOfTheGroups) {
  start();
  find_coordinator_request request;
  std::vector<std::string> names;
  for (int i = 0; i < 30; ++i) names.push_back(fmt::format("group-{}", i));
  for (const std::string& name : names) request.coordinator_keys.emplace_back(name);
  auto client = connect_to(1);
  const auto answer = client.ask<find_coordinator_response>(request, 4);
  std::set<std::int32_t> coordinators;
  for (const auto& one : answer.coordinators) {
    EXPECT_EQ(one.error_code, 0);
    coordinators.insert(one.node_id);
    heartbeat_request beat;
    beat.group_id = one.key;
    beat.generation_id = 1;
    beat.member_id = "somebody";
    for (std::int32_t node = 1; node <= 3; ++node) {
      auto asked = connect_to(node);
      const int code = asked.ask<heartbeat_response>(beat, 4).error_code;
      EXPECT_EQ(code, node == one.node_id ? 25 : 16);
    }
  }
  EXPECT_EQ(coordinators, (std::set<std::int32_t>{1, 2, 3}));
}

TEST_P(NodesTest, ShowTheirOwnConfigsAndLogs) {
  start();
  EXPECT_EQ(create("named", -1, -1, {{2, 3}}).error_code, 0);
  for (std::int32_t node = 1; node <= 3; ++node) {
    auto client = connect_to(node);
    describe_configs_request configs;
    const std::array ids{fmt::format("{}", node), fmt::format("{}", node % 3 + 1)};
    for (const std::string& name : ids) {
      auto& asked = configs.resources.emplace_back();
      asked.resource_type = 4;
      asked.resource_name = name;
    }
    const auto described = client.ask<describe_configs_response>(configs, 4);
    EXPECT_EQ(described.results.at(0).error_code, 0);
    EXPECT_EQ(described.results.at(1).error_code, 42);
    describe_log_dirs_request directories;
    directories.topics.reset();
    const auto found = client.ask<describe_log_dirs_response>(directories, 4);
    EXPECT_EQ(found.results.at(0).topics.size(), node == 1 ? 0u : 1u);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, NodesTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
