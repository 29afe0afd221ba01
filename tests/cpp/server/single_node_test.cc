// What a single node answers to requests about moving, leading and coordinating.

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class SingleNodeTest : public server_fixture {};

TEST_P(SingleNodeTest, EveryPartitionStaysWhereItIs) {
  start();
  create_topic("orders");
  auto client = connect();
  alter_partition_reassignments_request request;
  auto& topic = request.topics.emplace_back();
  topic.name = "orders";
  const auto ask_for = [&](std::int32_t partition,
                           std::optional<std::vector<std::int32_t>> replicas) {
    auto& wanted = topic.partitions.emplace_back();
    wanted.partition_index = partition;
    wanted.replicas = std::move(replicas);
  };
  ask_for(0, {{1}});
  ask_for(0, {{1, 2}});
  ask_for(0, std::nullopt);
  ask_for(7, {{1}});
  const auto answer = client.ask<alter_partition_reassignments_response>(request, 1);
  std::vector<int> codes;
  for (const auto& one : answer.responses.at(0).partitions) codes.push_back(one.error_code);
  EXPECT_EQ(codes, (std::vector{0, 39, 85, 3}));
  const auto moving =
      client.ask<list_partition_reassignments_response>(list_partition_reassignments_request(), 0);
  EXPECT_EQ(moving.error_code, 0);
  EXPECT_TRUE(moving.topics.empty());
}

TEST_P(SingleNodeTest, NoLeaderNeedsAnElection) {
  start();
  create_topic("orders");
  auto client = connect();
  elect_leaders_request request;
  auto& topic = request.topic_partitions.emplace().emplace_back();
  topic.topic = "orders";
  topic.partitions = {0, 1};
  const auto answer = client.ask<elect_leaders_response>(request, 2);
  const auto& results = answer.replica_election_results.at(0).partition_result;
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].error_code, 84);
  EXPECT_EQ(results[1].error_code, 3);
}

TEST_P(SingleNodeTest, TransactionsHaveNoCoordinator) {
  start();
  auto client = connect();
  find_coordinator_request request;
  request.coordinator_keys = {"some"};
  for (const auto& [type, code] : {std::pair(0, 0), std::pair(1, 53), std::pair(9, 42)}) {
    request.key_type = static_cast<std::int8_t>(type);
    const auto answer = client.ask<find_coordinator_response>(request, 6);
    EXPECT_EQ(answer.coordinators.at(0).error_code, code) << type;
  }
}

// Clients that know where a group is look at its topic next.
TEST_P(SingleNodeTest, TheTopicOfGroupsIsThereOnceACoordinatorWasAskedFor) {
  start();
  auto client = connect();
  metadata_request about;
  about.topics.emplace().emplace_back().name = "__consumer_offsets";
  about.allow_auto_topic_creation = false;
  EXPECT_EQ(client.ask<metadata_response>(about, 12).topics.at(0).error_code, 3);
  find_coordinator_request request;
  request.coordinator_keys = {"some"};
  const auto found = client.ask<find_coordinator_response>(request, 6);
  EXPECT_EQ(found.coordinators.at(0).error_code, 0);
  EXPECT_GE(found.coordinators.at(0).node_id, 0);
  const auto known = client.ask<metadata_response>(about, 12);
  EXPECT_EQ(known.topics.at(0).error_code, 0);
  EXPECT_TRUE(known.topics.at(0).is_internal);
  EXPECT_EQ(known.topics.at(0).partitions.size(), 50u);
}

INSTANTIATE_TEST_SUITE_P(Engines, SingleNodeTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
