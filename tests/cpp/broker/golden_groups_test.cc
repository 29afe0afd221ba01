#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "broker/group/consumer_group_records.h"
#include "broker/group/group_partition.h"
#include "broker/shard_fixture.h"
#include "golden.h"
#include "protocol/reader.h"
#include "protocol/stored/consumer_protocol/assignment.h"

namespace ringlog::broker {
namespace {

// The .log files of one partition of __consumer_offsets as Kafka left them; takes no appends.
class file_coordinator_log final : public coordinator_log {
 public:
  explicit file_coordinator_log(const std::filesystem::path& partition) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(partition)) {
      if (entry.path().extension() == ".log") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) ringlog::append(bytes_, golden::read_bytes(file));
  }
  void append(std::vector<coordinator_record> records, callback<void(result<offset_t>)>) override {
    appended += records.size();
  }
  void replay(coordinator_replay& target, callback<void(status)> done) override {
    const auto end = replay_batches(bytes_, offset_t(0), target);
    done(end.ok() ? status{} : status{end.failure()});
  }
  bytes_view bytes() const { return bytes_; }

  std::size_t appended = 0;

 private:
  byte_buffer bytes_;
};

topic_table golden_topics(const std::string& which) {
  topic_table table;
  const auto document = golden::document(which, "topics.json");
  for (const auto& [name, topic] : document.items()) {
    table.topics[name] = {uuid::parse(topic.at("topic_id").get<std::string>()).value(),
                          topic.at("partition_count").get<std::int32_t>()};
  }
  return table;
}

std::set<std::string> partitions_in(bytes_view assignment) {
  std::set<std::string> names;
  if (assignment.empty()) return names;
  protocol::reader in(assignment);
  in.read_integer<std::int16_t>();
  const auto decoded = protocol::consumer_protocol_assignment::decode(in, 0);
  EXPECT_TRUE(in.finish_early("assignment").ok());
  for (const auto& topic : decoded.assigned_partitions) {
    for (const std::int32_t partition : topic.partitions) {
      names.insert(topic.topic + "-" + std::to_string(partition));
    }
  }
  return names;
}

class golden_groups_test : public testing::TestWithParam<std::string> {
 protected:
  void check(const std::string& id, const golden::json& expected, group_shard& shard) {
    const auto described = shard.describe(id);
    ASSERT_TRUE(described.ok()) << described.failure().message;
    EXPECT_EQ(described->type, expected.at("type").get<std::string>());
    EXPECT_EQ(described->protocol_type, expected.at("protocol").get<std::string>());
    EXPECT_EQ(described->state, expected.at("state").get<std::string>());
    if (described->type == "Classic") {
      EXPECT_EQ(described->protocol, expected.at("assignor").get<std::string>());
    }
    if (described->type != "Share") check_offsets(id, expected.at("offsets"), shard);
    if (!expected.contains("members")) return;
    ASSERT_EQ(described->members.size(), expected.at("members").size());
    for (std::size_t i = 0; i < described->members.size(); ++i) {
      const described_member& member = described->members[i];
      const auto& wanted = expected.at("members").at(i);
      EXPECT_EQ(member.member, wanted.at("member_id").get<std::string>());
      EXPECT_EQ(member.client_id, wanted.at("client_id").get<std::string>());
      EXPECT_EQ(member.instance.has_value(), !wanted.at("instance_id").is_null());
      if (member.instance) {
        EXPECT_EQ(*member.instance, wanted.at("instance_id").get<std::string>());
      }
      EXPECT_EQ(partitions_in(member.assignment),
                wanted.at("assignment").get<std::set<std::string>>());
    }
  }

  static void check_offsets(const std::string& id, const golden::json& expected,
                            group_shard& shard) {
    const auto fetched = shard.fetch_offsets({id, std::nullopt, true, std::nullopt, -1});
    ASSERT_TRUE(fetched.ok()) << fetched.failure().message;
    ASSERT_EQ(fetched->size(), expected.size());
    for (const auto& [tp, committed] : *fetched) {
      const auto& wanted = expected.at(tp.to_string());
      EXPECT_EQ(committed->offset.value(), wanted.at("offset")) << tp.to_string();
      EXPECT_EQ(committed->metadata, wanted.at("metadata").get<std::string>());
      const auto& epoch = wanted.at("leader_epoch");
      EXPECT_EQ(committed->leader_epoch.value(), epoch.is_null() ? -1 : epoch.get<int>());
    }
  }
};

TEST_P(golden_groups_test, groups_and_offsets_are_those_of_kafka) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked(GetParam());
  shard_world world(1, 1'795'241'900'000);  // soon after the directories were made
  world.topics = golden_topics(GetParam());
  world.settings.offsets_retention_ms = 5'256'000LL * 60'000;  // as golden/server.properties

  std::map<partition_id_t, std::shared_ptr<group_shard>> shards;
  std::set<std::string> listed;
  for (std::int32_t i = 0; i < 50; ++i) {
    const auto path = unpacked.partition("__consumer_offsets", i);
    if (!std::filesystem::exists(path)) continue;
    const auto log = std::make_shared<file_coordinator_log>(path);
    const auto shard = world.open_over(log);
    EXPECT_EQ(log->appended, 0U) << "nothing of Kafka's expires here";
    for (const listed_group& group : shard->list()) {
      EXPECT_EQ(partition_of_group(group.group, 50), partition_id_t(i));
      listed.insert(group.group);
    }
    shards[partition_id_t(i)] = shard;
  }
  std::set<std::string> wanted;
  const auto document = golden::document(GetParam(), "offsets.json");
  for (const auto& [id, expected] : document.items()) {
    SCOPED_TRACE(id);
    wanted.insert(id);
    check(id, expected, *shards.at(partition_of_group(id, 50)));
  }
  EXPECT_EQ(listed, wanted);
}

// Reads every record that we can write and writes it again.
class rewriting_replay final : public coordinator_replay {
 public:
  void on_record(offset_t offset, producer_id_t, bytes_view key,
                 std::optional<bytes_view> value) override {
    const auto parsed = parse_group_key(key);
    ASSERT_TRUE(parsed.ok()) << parsed.failure().message;
    const coordinator_record original{to_buffer(key),
                                      value ? std::optional(to_buffer(*value)) : std::nullopt};
    if (parsed->type == record_types::offset_commit) {
      EXPECT_EQ(original, value ? offset_record(parsed->group, parsed->partition,
                                                parse_offset_value(1, *value).value())
                                : offset_tombstone(parsed->group, parsed->partition))
          << "offset " << offset.value();
      ++rewritten;
    } else if (parsed->type == record_types::group_metadata) {
      EXPECT_EQ(original, value ? group_record(parsed->group, parse_group_value(*value).value())
                                : group_tombstone(parsed->group))
          << "offset " << offset.value();
      ++rewritten;
    } else if (parsed->type == record_types::consumer_member_target && value) {
      // Kafka's topics are in the order of a hash table.
      const auto target = parse_member_target(*value).value();
      const auto again = member_target_record(parsed->group, parsed->second_name, target);
      EXPECT_EQ(original.key, again.key);
      EXPECT_EQ(original.value->size(), again.value->size());
      EXPECT_EQ(parse_member_target(*again.value).value(), target);
    } else if (parsed->is_of_consumer_group()) {
      EXPECT_EQ(original,
                value ? rewrite(*parsed, *value)
                      : consumer_tombstone(parsed->type, parsed->group, parsed->second_name))
          << "offset " << offset.value() << " type " << parsed->type;
      ++rewritten_of_consumer_groups;
    } else {
      EXPECT_TRUE(parsed->kept_type().has_value());
    }
  }
  static coordinator_record rewrite(const group_record_key& key, bytes_view value) {
    consumer_member member;
    member.id = key.second_name;
    switch (key.type) {
      case record_types::consumer_group:
        return to_record(key.group, parse_consumer_group(value).value());
      case record_types::consumer_target:
        return to_record(key.group, parse_consumer_target(value).value());
      case record_types::consumer_expression:
        return expression_record(key.group, member.id, parse_expression(value).value());
      case record_types::consumer_member:
        EXPECT_TRUE(read_member(value, member).ok());
        return member_record(key.group, member);
      default:
        EXPECT_TRUE(read_member_assignment(value, member).ok());
        return member_assignment_record(key.group, member);
    }
  }
  void on_transaction_end(producer_id_t, bool) override {}

  int rewritten = 0;
  int rewritten_of_consumer_groups = 0;
};

TEST_P(golden_groups_test, our_records_are_byte_for_byte_kafkas) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked(GetParam());
  rewriting_replay all;
  for (std::int32_t i = 0; i < 50; ++i) {
    const auto path = unpacked.partition("__consumer_offsets", i);
    if (!std::filesystem::exists(path)) continue;
    const file_coordinator_log log(path);
    ASSERT_TRUE(replay_batches(log.bytes(), offset_t(0), all).ok());
  }
  EXPECT_GT(all.rewritten, 40);
  EXPECT_GT(all.rewritten_of_consumer_groups, 10);
}

// A member that Kafka left alive goes on as if nothing had happened: our hash of the topics that it
// reads is Kafka's, so that there is no rebalance.
TEST(golden_consumer_group, a_live_member_goes_on) {
  GOLDEN_OR_SKIP();
  const golden::directory unpacked("killed");
  shard_world world(1, 1'795'241'900'000);
  world.topics = golden_topics("killed");
  world.settings.offsets_retention_ms = 5'256'000LL * 60'000;
  const auto path =
      unpacked.partition("__consumer_offsets", partition_of_group("g-live-new", 50).value());
  const auto log = std::make_shared<file_coordinator_log>(path);
  const auto shard = world.open_over(log);
  const auto before = shard->describe_consumer("g-live-new").value();
  ASSERT_EQ(before.members.size(), 1U);
  consumer_heartbeat_request beat;
  beat.group = "g-live-new";
  beat.member = before.members[0].member;
  beat.epoch = before.members[0].epoch;
  beat.client_id = before.members[0].client_id;
  beat.client_host = before.members[0].client_host;
  pending<consumer_heartbeat_answer> answered;
  shard->consumer_heartbeat(beat, answered.reply());
  ASSERT_TRUE(answered.is_ok());
  EXPECT_EQ(answered.ok().epoch, before.members[0].epoch);
  EXPECT_EQ(log->appended, 0U);
}

INSTANTIATE_TEST_SUITE_P(directories, golden_groups_test, testing::Values("clean", "killed"));

TEST(partition_of_group_test, agrees_with_javas_hash) {
  GOLDEN_OR_SKIP();
  const auto vectors = golden::vectors();
  std::size_t checked = 0;
  for (const auto& group : vectors.at("group_partition")) {
    const std::string name = to_string(golden::from_hex(group.at("utf8_hex")));
    EXPECT_EQ(partition_of_group(name, 50).value(), group.at("partition_of_50")) << name;
    EXPECT_EQ(partition_of_group(name, 3).value(), group.at("partition_of_3")) << name;
    ++checked;
  }
  EXPECT_EQ(checked, 12U);
}

}  // namespace
}  // namespace ringlog::broker
