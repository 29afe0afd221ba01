// DescribeLogDirs and AlterReplicaLogDirs where there is one directory.

#include <map>

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

class LogDirectoryTest : public server_fixture {
 protected:
  describe_log_dirs_response::result describe(const describe_log_dirs_request& request,
                                              std::int16_t version = 5) {
    auto client = connect();
    const auto answer = client.ask<describe_log_dirs_response>(request, version);
    EXPECT_EQ(answer.error_code, 0);
    EXPECT_EQ(answer.results.size(), 1u);
    return answer.results.at(0);
  }

  // Bytes by partition.
  static std::map<std::pair<std::string, int>, std::int64_t> sizes(
      const describe_log_dirs_response::result& found) {
    std::map<std::pair<std::string, int>, std::int64_t> all;
    for (const auto& topic : found.topics) {
      for (const auto& partition : topic.partitions) {
        all[{topic.name, partition.partition_index}] = partition.partition_size;
        EXPECT_EQ(partition.offset_lag, 0);
        EXPECT_FALSE(partition.is_future_key);
      }
    }
    return all;
  }
};

TEST_P(LogDirectoryTest, HasEveryPartitionWithItsSize) {
  start({{"num.partitions", "2"}});
  create_topic("orders");
  create_topic("empty");
  const byte_buffer batch = batch_of("some record");
  auto client = connect();
  client.ask<produce_response>(produce_request_of("orders", batch), 9);
  describe_log_dirs_request request;
  request.topics.reset();
  const auto found = describe(request);
  EXPECT_EQ(found.error_code, 0);
  EXPECT_EQ(found.log_dir.front(), '/');
  EXPECT_GT(found.total_bytes, 0);
  EXPECT_GT(found.usable_bytes, 0);
  EXPECT_FALSE(found.is_cordoned);
  const std::map<std::pair<std::string, int>, std::int64_t> expected{
      {{"empty", 0}, 0},
      {{"empty", 1}, 0},
      {{"orders", 0}, static_cast<std::int64_t>(batch.size())},
      {{"orders", 1}, 0}};
  EXPECT_EQ(sizes(found), expected);
}

TEST_P(LogDirectoryTest, TellsOfThoseThatWereAskedForAndExist) {
  start({{"num.partitions", "2"}});
  create_topic("orders");
  describe_log_dirs_request request;
  request.topics.emplace();
  EXPECT_TRUE(describe(request).topics.empty());
  const auto ask_for = [&](std::string_view topic, std::vector<std::int32_t> partitions) {
    auto& asked = request.topics->emplace_back();
    asked.topic = topic;
    asked.partitions = std::move(partitions);
  };
  ask_for("orders", {1, 7, -1, 1});
  ask_for("unknown", {0});
  const std::map<std::pair<std::string, int>, std::int64_t> expected{{{"orders", 1}, 0}};
  EXPECT_EQ(sizes(describe(request)), expected);
  EXPECT_EQ(sizes(describe(request, 1)), expected);
}

TEST_P(LogDirectoryTest, NothingMoves) {
  start();
  create_topic("orders");
  describe_log_dirs_request everything;
  everything.topics.reset();
  const std::string ours = describe(everything).log_dir;
  const auto move = [&](std::string_view path, std::string_view topic,
                        std::vector<std::int32_t> partitions) {
    alter_replica_log_dirs_request request;
    auto& directory = request.dirs.emplace_back();
    directory.path = path;
    auto& asked = directory.topics.emplace_back();
    asked.name = topic;
    asked.partitions = std::move(partitions);
    auto client = connect();
    const auto answer = client.ask<alter_replica_log_dirs_response>(request, 2);
    std::vector<int> codes;
    for (const auto& one : answer.results.at(0).partitions) codes.push_back(one.error_code);
    return codes;
  };
  EXPECT_EQ(move(ours, "orders", {0, 9}), (std::vector{0, 3}));
  EXPECT_EQ(move("/elsewhere", "orders", {0, 9}), (std::vector{57, 57}));
  EXPECT_EQ(move(ours, std::string(210, 'x'), {0}), (std::vector{3}));
  EXPECT_EQ(move(ours, std::string(248, 'x'), {0}), (std::vector{17}));
}

INSTANTIATE_TEST_SUITE_P(Engines, LogDirectoryTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
