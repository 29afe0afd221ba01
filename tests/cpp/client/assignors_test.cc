#include "client/assignors.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "client/consumer_protocol.h"

namespace ringlog::client {
namespace {

std::string shown(const assignments& shares) {
  std::string text;
  for (const auto& [member, partitions] : shares) {
    text += member + ":";
    for (const auto& source : partitions) text += " " + source.to_string();
    text += ";";
  }
  return text;
}

assignor_member member(std::string id, std::vector<std::string> topics,
                       std::optional<std::string> instance = std::nullopt) {
  return {std::move(id), std::move(instance), std::move(topics)};
}

TEST(RangeAssignorTest, EarlierMembersGetTheRemainder) {
  EXPECT_EQ(
      shown(assign_range({member("b", {"t", "u"}), member("a", {"t", "u"})}, {{"t", 3}, {"u", 3}})),
      "a: t-0 t-1 u-0 u-1;b: t-2 u-2;");
}

TEST(RangeAssignorTest, OnlySubscribersShareATopic) {
  EXPECT_EQ(
      shown(assign_range({member("a", {"t"}), member("b", {"t", "u"})}, {{"t", 2}, {"u", 2}})),
      "a: t-0;b: t-1 u-0 u-1;");
}

TEST(RangeAssignorTest, StaticMembersComeFirstByInstance) {
  EXPECT_EQ(shown(assign_range({member("a", {"t"}), member("z", {"t"}, "1")}, {{"t", 1}})),
            "a:;z: t-0;");
}

TEST(RoundRobinAssignorTest, DealsAllTopicsInOneCircle) {
  EXPECT_EQ(shown(assign_round_robin({member("a", {"t", "u"}), member("b", {"t", "u"})},
                                     {{"t", 3}, {"u", 3}})),
            "a: t-0 t-2 u-1;b: t-1 u-0 u-2;");
}

TEST(RoundRobinAssignorTest, SkipsMembersThatAreNotSubscribed) {
  EXPECT_EQ(shown(assign_round_robin({member("a", {"t"}), member("b", {"t", "u"})},
                                     {{"t", 1}, {"u", 2}, {"nobody", 4}})),
            "a: t-0;b: u-0 u-1;");
}

TEST(AssignorsTest, UnknownNameSaysWhatToUse) {
  const auto refused = assign("sticky", {member("a", {"t"})}, {{"t", 1}});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.failure().message.find("range"), std::string::npos);
}

// Every partition of a subscribed topic goes to exactly one subscriber, and shares differ by at
// most one where all members want the same.
TEST(AssignorsTest, EveryPartitionOnceForRandomGroups) {
  const char* given = std::getenv("RINGLOG_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20;
  SCOPED_TRACE(fmt::format("RINGLOG_SEED={}", seed));
  seeded_random random(seed);
  for (int round = 0; round < 300; ++round) {
    partition_counts topics;
    std::vector<std::string> names;
    for (std::uint64_t i = random.below(5); i < 5; ++i) {
      names.push_back(fmt::format("t{}", i));
      topics[names.back()] = static_cast<std::int32_t>(random.below(8));
    }
    std::vector<assignor_member> members;
    for (std::uint64_t i = random.below(6); i < 6; ++i) {
      members.push_back(member(fmt::format("m{}", i), {}));
      for (const auto& name : names) {
        if (random.one_in(2)) members.back().topics.push_back(name);
      }
    }
    for (const char* assignor : {"range", "roundrobin"}) {
      const auto shares = assign(assignor, members, topics);
      ASSERT_TRUE(shares.ok());
      std::set<topic_partition> seen;
      for (const auto& each : members) {
        for (const auto& source : shares->at(each.member)) {
          ASSERT_TRUE(seen.insert(source).second) << source.to_string() << " twice";
          ASSERT_NE(std::find(each.topics.begin(), each.topics.end(), source.topic),
                    each.topics.end());
        }
      }
      std::size_t wanted = 0;
      for (const auto& [topic, count] : topics) {
        for (const auto& each : members) {
          if (std::find(each.topics.begin(), each.topics.end(), topic) == each.topics.end())
            continue;
          wanted += static_cast<std::size_t>(count);
          break;
        }
      }
      ASSERT_EQ(seen.size(), wanted);
    }
  }
}

TEST(ConsumerProtocolTest, RoundTripsAndReadsNewerVersions) {
  const std::vector<std::string> topics = {"b", "a"};
  EXPECT_EQ(decode_subscription(encode_subscription(topics)).value(), topics);
  const std::vector<topic_partition> partitions = {{"t", partition_id_t(0)},
                                                   {"t", partition_id_t(4)}};
  byte_buffer bytes = encode_assignment(partitions);
  EXPECT_EQ(decode_assignment(bytes).value(), partitions);
  bytes[1] = std::byte{9};  // a version of the future with more at the end
  bytes.push_back(std::byte{1});
  EXPECT_EQ(decode_assignment(bytes).value(), partitions);
  EXPECT_TRUE(decode_assignment({}).value().empty());
  bytes.resize(5);
  EXPECT_FALSE(decode_assignment(bytes).ok());
}

}  // namespace
}  // namespace ringlog::client
