// Requests that make topics and partitions: how many at once, and what each part is answered.

#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

constexpr std::int16_t none = 0;
constexpr std::int16_t unknown_topic = 3;
constexpr std::int16_t topic_exists = 36;
constexpr std::int16_t invalid_assignment = 39;
constexpr std::int16_t invalid_request = 42;
constexpr std::int16_t policy_violation = 44;

class NewPartitionsTest : public server_fixture {
 protected:
  struct wanted {
    std::string_view name;
    std::int32_t count = 1;
    std::vector<std::vector<std::int32_t>> replicas = {};
  };

  std::vector<std::int16_t> create(const std::vector<wanted>& topics, bool validate_only = false) {
    create_topics_request request;
    request.validate_only = validate_only;
    for (const wanted& one : topics) {
      auto& asked = request.topics.emplace_back();
      asked.name = one.name;
      asked.num_partitions = one.count;
      asked.replication_factor = 1;
    }
    auto client = connect();
    const auto answer = client.ask<create_topics_response>(request, 7);
    std::vector<std::int16_t> codes;
    for (const auto& one : answer.topics) {
      codes.push_back(one.error_code);
      const bool shows_configs = one.error_code == none && !validate_only;
      EXPECT_EQ(one.configs->empty(), !shows_configs);
    }
    return codes;
  }

  std::vector<std::int16_t> grow(const std::vector<wanted>& topics) {
    create_partitions_request request;
    for (const wanted& one : topics) {
      auto& asked = request.topics.emplace_back();
      asked.name = one.name;
      asked.count = one.count;
      asked.assignments.reset();
      for (const auto& replicas : one.replicas) {
        if (!asked.assignments) asked.assignments.emplace();
        asked.assignments->emplace_back().broker_ids = replicas;
      }
    }
    auto client = connect();
    const auto answer = client.ask<create_partitions_response>(request, 3);
    std::vector<std::int16_t> codes;
    for (const auto& one : answer.results) codes.push_back(one.error_code);
    return codes;
  }
};

using codes = std::vector<std::int16_t>;

TEST_P(NewPartitionsTest, AreCountedOfAllTopicsTogether) {
  start({{"num.partitions", "5000"}});
  EXPECT_EQ(create({{"a", 5'001}, {"b", 5'000}}), codes(2, policy_violation));
  EXPECT_EQ(create({{"a", -1}, {"b", -1}, {"c", 1}}), codes(3, policy_violation));
  EXPECT_EQ(create({{"a", 5'000}, {"b", 4'999}}), codes(2, policy_violation));  // records
  EXPECT_EQ(create({{"a", 5'000}, {"b", 4'998}}, true), codes(2, none));
  EXPECT_EQ(create({{"a", 6'000}, {"a", 6'000}, {"b", 2}}), (codes{invalid_request, none}));
  EXPECT_EQ(create({{"a", 2}, {"b", 3}, {"c", 2}}), (codes{none, topic_exists, none}));
}

TEST_P(NewPartitionsTest, GrowWhileThereIsRoom) {
  start();
  ASSERT_EQ(create({{"a"}, {"b"}, {"c"}}), codes(3, none));
  EXPECT_EQ(grow({{"a", 9'000}, {"b", 9'000}, {"c", 100}, {"d", 20'000}}),
            (codes{none, policy_violation, none, unknown_topic}));
  EXPECT_EQ(grow({{"b", 2}, {"b", 3}, {"c", 101}}), (codes{invalid_request, none}));
}

TEST_P(NewPartitionsTest, LieWhereABrokerIs) {
  start();
  ASSERT_EQ(create({{"a"}}), codes{none});
  for (const std::vector<std::int32_t>& replicas : {std::vector{9}, {1, 1}, {1, 2}, {}}) {
    EXPECT_EQ(grow({{"a", 2, {replicas}}}), codes{invalid_assignment});
  }
  EXPECT_EQ(grow({{"a", 3, {{1}}}}), codes{invalid_assignment});
  EXPECT_EQ(grow({{"a", 3, {{1}, {1}}}}), codes{none});
}

INSTANTIATE_TEST_SUITE_P(Engines, NewPartitionsTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
