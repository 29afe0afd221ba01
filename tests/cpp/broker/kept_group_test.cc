// Groups of protocols that are not served: kept, shown, deleted.

#include "broker/group/kept_group.h"

#include <gtest/gtest.h>

#include "broker/shard_fixture.h"
#include "protocol/stored/group/share_group_current_member_assignment.h"
#include "protocol/stored/group/share_group_member_metadata.h"
#include "protocol/stored/group/share_group_metadata.h"
#include "protocol/writer.h"

namespace ringlog::broker {
namespace {

class kept_group_test : public testing::Test {
 protected:
  template <typename Key, typename Value>
  void put(const Key& key, const std::optional<Value>& value) {
    coordinator_record record;
    record.key = encode(Key::info.api_key, key);
    if (value) record.value = encode(std::int16_t{0}, *value);
    world.log->entries.push_back({std::move(record)});
  }
  template <typename Message>
  static byte_buffer encode(std::int16_t prefix, const Message& message) {
    protocol::writer out;
    out.write_integer(prefix);
    message.encode(out, 0);
    return std::move(out).take("a record").value();
  }

  void put_group() {
    protocol::share_group_metadata_key key;
    key.group_id = "k";
    put(key, std::optional(protocol::share_group_metadata_value{}));
  }
  void put_member() {
    protocol::share_group_member_metadata_key key;
    key.group_id = "k";
    key.member_id = "m";
    protocol::share_group_member_metadata_value value;
    value.client_id = "client";
    value.subscribed_topic_names = {"t"};
    put(key, std::optional(value));
    protocol::share_group_current_member_assignment_key assigned;
    assigned.group_id = "k";
    assigned.member_id = "m";
    put(assigned, std::optional(protocol::share_group_current_member_assignment_value{}));
  }

  error_code join(group_shard& shard, const std::string& group) {
    join_group_request request;
    request.group = group;
    request.protocol_type = "consumer";
    request.protocols = {{"range", {}}};
    pending<join_group_answer> joined;
    shard.join(request, joined.reply());
    world.time.advance_ms(5'000);
    EXPECT_TRUE(joined.is_there());
    return joined.is_ok() ? error_code::internal : joined.code();
  }

  // Types of the tombstones at the end of the log, in their order.
  std::vector<int> last_tombstones() const {
    std::vector<int> types;
    for (const auto& entry : world.log->entries) {
      if (entry.record.value) {
        types.clear();
      } else {
        types.push_back(parse_group_key(entry.record.key)->type);
      }
    }
    return types;
  }

  shard_world world{3};
};

TEST_F(kept_group_test, is_listed_and_described) {
  put_group();
  put_member();
  const auto shard = world.open();
  ASSERT_EQ(shard->list().size(), 1U);
  EXPECT_EQ(shard->list()[0].type, "Share");
  EXPECT_EQ(shard->list()[0].state, "Stable");
  const auto described = shard->describe("k");
  ASSERT_EQ(described->members.size(), 1U);
  EXPECT_EQ(described->members[0].client_id, "client");
  EXPECT_EQ(described->members[0].member, "m");
}

TEST_F(kept_group_test, members_keep_their_group_for_a_session) {
  put_group();
  put_member();
  const auto shard = world.open();
  EXPECT_EQ(join(*shard, "k"), error_code::inconsistent_group_protocol);
  pending<void> refused;
  shard->delete_group("k", refused.reply());
  EXPECT_EQ(refused.code(), error_code::non_empty_group);
  EXPECT_EQ(world.log->entries.size(), 3U);  // nothing was written
  world.time.advance_ms(world.settings.consumer_session_timeout_ms);
  pending<void> deleted;
  shard->delete_group("k", deleted.reply());
  world.time.advance_ms(10);
  EXPECT_TRUE(deleted.is_ok());
}

TEST_F(kept_group_test, offsets_stand_beside_it) {
  put_group();
  world.log->entries.push_back({offset_record("k", partition_of_t(0), world.offset(9))});
  const auto fetched = world.open()->fetch_offsets({"k", std::nullopt, false, std::nullopt, -1});
  ASSERT_EQ(fetched->size(), 1U);
  EXPECT_EQ(fetched->at(0).second->offset, offset_t(9));
}

TEST_F(kept_group_test, is_deleted_from_its_members_up) {
  put_group();
  put_member();
  const auto shard = world.open();
  world.time.advance_ms(world.settings.consumer_session_timeout_ms);
  pending<void> deleted;
  shard->delete_group("k", deleted.reply());
  world.time.advance_ms(10);
  EXPECT_TRUE(deleted.is_ok());
  EXPECT_EQ(last_tombstones(), (std::vector<int>{14, 11, 10}));
  EXPECT_TRUE(shard->list().empty());
  EXPECT_TRUE(world.open()->list().empty());
}

TEST_F(kept_group_test, damaged_and_unknown_records_are_left_out) {
  put_group();
  world.log->entries.push_back({{byte_buffer(1), byte_buffer(3)}});
  byte_buffer unknown = encode(std::int16_t{99}, protocol::share_group_metadata_key{"u"});
  world.log->entries.push_back({{unknown, byte_buffer(2)}});
  coordinator_record broken = offset_record("k", partition_of_t(0), world.offset(9));
  broken.value->resize(3);
  world.log->entries.push_back({std::move(broken)});
  const auto shard = world.open();
  EXPECT_EQ(shard->list().size(), 1U);
  EXPECT_TRUE(shard->fetch_offsets({"k", std::nullopt, false, std::nullopt, -1})->empty());
}

}  // namespace
}  // namespace ringlog::broker
