#include "broker/group/group_shard.h"

#include <gtest/gtest.h>

#include "base/endian.h"
#include "broker/shard_fixture.h"

namespace ringlog::broker {
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

class group_shard_test : public testing::Test {
 protected:
  std::optional<std::int64_t> fetched(group_shard& shard, const std::string& group,
                                      std::int32_t partition) {
    const auto answer =
        shard.fetch_offsets({group, {{partition_of_t(partition)}}, false, std::nullopt, -1})
            .value();
    if (!answer.at(0).second) return std::nullopt;
    return answer.at(0).second->offset.value();
  }

  error_code commit(group_shard& shard, const group_member_identity& from, std::int64_t offset,
                    std::int32_t partition = 0) {
    pending<void> done;
    shard.commit(from, {{partition_of_t(partition), world.offset(offset)}}, done.reply());
    world.time.advance_ms(10);
    EXPECT_TRUE(done.is_there());
    return done.is_ok() ? error_code::internal : done.code();
  }
  static constexpr error_code fine = error_code::internal;

  // One member of the group "g" of the consumer protocol, stable at generation 1.
  std::string join_alone(group_shard& shard) {
    join_group_request request;
    request.group = "g";
    request.client_id = "c";
    request.protocol_type = "consumer";
    request.protocols = {{"range", from_topics({"t"})}};
    pending<join_group_answer> joined;
    shard.join(request, joined.reply());
    world.time.advance_ms(world.settings.initial_rebalance_delay_ms + 10);
    const std::string member = joined.ok().member;
    pending<sync_group_answer> synced;
    shard.sync({"g",
                joined.ok().generation,
                member,
                std::nullopt,
                std::nullopt,
                std::nullopt,
                {{member, to_buffer(as_bytes("all"))}}},
               synced.reply());
    world.time.advance_ms(10);
    EXPECT_EQ(as_text(synced.ok().assignment), "all");
    return member;
  }

  // A ConsumerProtocolSubscription of version 0.
  static byte_buffer from_topics(const std::vector<std::string>& topics) {
    byte_buffer bytes(2 + 4);
    store_be<std::int32_t>(bytes.data() + 2, static_cast<std::int32_t>(topics.size()));
    for (const std::string& topic : topics) {
      bytes.resize(bytes.size() + 2);
      store_be<std::int16_t>(bytes.data() + bytes.size() - 2,
                             static_cast<std::int16_t>(topic.size()));
      append(bytes, as_bytes(topic));
    }
    bytes.resize(bytes.size() + 4);
    store_be<std::int32_t>(bytes.data() + bytes.size() - 4, -1);  // no user data
    return bytes;
  }

  shard_world world{7};
};

TEST_F(group_shard_test, commit_counts_when_durable_and_after_a_restart) {
  auto shard = world.open();
  world.log->latency_ms_max = 50;
  pending<void> done;
  shard->commit({"simple", -1, "", std::nullopt}, {{partition_of_t(1), world.offset(5, "note")}},
                done.reply());
  EXPECT_EQ(fetched(*shard, "simple", 1), std::nullopt);
  world.time.advance_ms(60);
  EXPECT_TRUE(done.is_ok());
  EXPECT_EQ(fetched(*shard, "simple", 1), 5);
  EXPECT_EQ(fetched(*world.open(), "simple", 1), 5);
  EXPECT_EQ(world.open()->describe("simple")->state, "Empty");
}

TEST_F(group_shard_test, failed_append_is_told_and_changes_nothing) {
  auto shard = world.open();
  world.log->failure = error{error_code::storage_failed, "disk gone"};
  EXPECT_EQ(commit(*shard, {"simple", -1, "", std::nullopt}, 5), error_code::storage_failed);
  EXPECT_EQ(fetched(*shard, "simple", 0), std::nullopt);
}

TEST_F(group_shard_test, only_members_commit_for_a_group_in_use) {
  auto shard = world.open();
  const std::string member = join_alone(*shard);
  EXPECT_EQ(commit(*shard, {"g", 1, member, std::nullopt}, 3), fine);
  EXPECT_EQ(commit(*shard, {"g", -1, "", std::nullopt}, 4), error_code::unknown_member_id);
  EXPECT_EQ(commit(*shard, {"g", 2, member, std::nullopt}, 4), error_code::illegal_generation);
  EXPECT_EQ(commit(*shard, {"unknown", 2, "m", std::nullopt}, 4), error_code::illegal_generation);
  EXPECT_EQ(fetched(*shard, "g", 0), 3);
}

TEST_F(group_shard_test, member_survives_a_restart_but_not_its_session) {
  auto shard = world.open();
  const std::string member = join_alone(*shard);
  auto again = world.open();
  EXPECT_EQ(again->describe("g")->state, "Stable");
  EXPECT_EQ(again->describe("g")->members.at(0).member, member);
  EXPECT_TRUE(again->heartbeat({"g", 1, member, std::nullopt}).ok());
  world.time.advance_ms(46'000);
  EXPECT_EQ(again->describe("g")->state, "Empty");
  EXPECT_EQ(world.open()->describe("g")->state, "Empty");
}

TEST_F(group_shard_test, offsets_of_transactions_wait_for_the_marker) {
  auto shard = world.open();
  ASSERT_EQ(commit(*shard, {"g", -1, "", std::nullopt}, 1), fine);
  const producer_id_t committing(10);
  const producer_id_t aborting(11);
  world.log->entries.push_back(
      {offset_record("g", partition_of_t(0), world.offset(8)), committing});
  world.log->entries.push_back({offset_record("g", partition_of_t(1), world.offset(9)), aborting});

  auto pending_both = world.open();
  EXPECT_EQ(fetched(*pending_both, "g", 0), 1);
  EXPECT_EQ(
      pending_both->fetch_offsets({"g", {{partition_of_t(0)}}, true, std::nullopt, -1}).code(),
      error_code::unstable_offset_commit);
  EXPECT_TRUE(
      pending_both->fetch_offsets({"g", {{partition_of_t(2)}}, true, std::nullopt, -1}).ok());

  world.log->entries.push_back({{}, committing, true});
  world.log->entries.push_back({{}, aborting, false});
  auto ended = world.open();
  EXPECT_EQ(fetched(*ended, "g", 0), 8);
  EXPECT_EQ(fetched(*ended, "g", 1), std::nullopt);
  EXPECT_TRUE(ended->fetch_offsets({"g", {{partition_of_t(0)}}, true, std::nullopt, -1}).ok());
}

TEST_F(group_shard_test, later_commit_outlives_an_earlier_transaction) {
  const producer_id_t producer(10);
  world.log->entries.push_back({offset_record("g", partition_of_t(0), world.offset(8)), producer});
  world.log->entries.push_back({offset_record("g", partition_of_t(0), world.offset(20))});
  world.log->entries.push_back({{}, producer, true});
  EXPECT_EQ(fetched(*world.open(), "g", 0), 20);
}

TEST_F(group_shard_test, deleting_a_group_takes_everything) {
  auto shard = world.open();
  const std::string member = join_alone(*shard);
  ASSERT_EQ(commit(*shard, {"g", 1, member, std::nullopt}, 3), fine);
  pending<void> refused;
  shard->delete_group("g", refused.reply());
  EXPECT_EQ(refused.code(), error_code::non_empty_group);
  leave_group(*shard, member);
  pending<void> deleted;
  shard->delete_group("g", deleted.reply());
  EXPECT_EQ(commit(*shard, {"g", -1, "", std::nullopt}, 4), error_code::coordinator_not_available);
  world.time.advance_ms(10);
  EXPECT_TRUE(deleted.is_ok());
  EXPECT_TRUE(shard->list().empty());
  EXPECT_EQ(fetched(*shard, "g", 0), std::nullopt);
  EXPECT_TRUE(world.open()->list().empty());
  pending<void> again;
  shard->delete_group("g", again.reply());
  EXPECT_EQ(again.code(), error_code::group_id_not_found);
}

TEST_F(group_shard_test, offsets_in_use_are_not_deleted) {
  world.topics.topics["other"] = {uuid::make_random(world.random), 1};
  auto shard = world.open();
  const std::string member = join_alone(*shard);
  ASSERT_EQ(commit(*shard, {"g", 1, member, std::nullopt}, 3), fine);
  const topic_partition other{"other", partition_id_t(0)};
  pending<partition_failures> deleted;
  shard->delete_offsets("g", {partition_of_t(0), other}, deleted.reply());
  world.time.advance_ms(10);
  EXPECT_EQ(deleted.ok().at(0).second->code, error_code::group_subscribed_to_topic);
  EXPECT_FALSE(deleted.ok().at(1).second);
  leave_group(*shard, member);
  pending<partition_failures> later;
  shard->delete_offsets("g", {partition_of_t(0)}, later.reply());
  world.time.advance_ms(10);
  EXPECT_FALSE(later.ok().at(0).second);
  EXPECT_EQ(fetched(*shard, "g", 0), std::nullopt);
}

// Kafka: ClassicGroup.validateOffsetDelete and validateDeleteGroup go by the state.
TEST_F(group_shard_test, who_is_on_the_way_to_a_group_keeps_nothing) {
  auto shard = world.open();
  ASSERT_EQ(commit(*shard, {"g", -1, "", std::nullopt}, 3), fine);
  join_group_request request;
  request.group = "g";
  request.client_id = "c";
  request.protocol_type = "connect";
  request.protocols = {{"range", {}}};
  request.member_id_required = true;
  pending<join_group_answer> asked;
  shard->join(request, asked.reply());
  ASSERT_TRUE(asked.ok().member_id_required);
  request.member = asked.ok().member;

  pending<partition_failures> deleted;
  shard->delete_offsets("g", {partition_of_t(0)}, deleted.reply());
  world.time.advance_ms(10);
  EXPECT_FALSE(deleted.ok().at(0).second);
  EXPECT_EQ(fetched(*shard, "g", 0), std::nullopt);
  pending<void> gone;
  shard->delete_group("g", gone.reply());
  world.time.advance_ms(10);
  EXPECT_TRUE(gone.is_ok());
  EXPECT_TRUE(shard->list().empty());
  pending<join_group_answer> late;
  shard->join(request, late.reply());
  EXPECT_EQ(late.code(), error_code::unknown_member_id);
}

TEST_F(group_shard_test, offsets_expire_after_the_group_is_empty) {
  auto shard = world.open();
  const std::string member = join_alone(*shard);
  ASSERT_EQ(commit(*shard, {"g", 1, member, std::nullopt}, 3), fine);
  ASSERT_EQ(commit(*shard, {"simple", -1, "", std::nullopt}, 4), fine);
  for (std::int64_t ms = 0; ms < 8 * day_ms; ms += 30'000) {  // the member stays alive
    world.time.advance_ms(30'000);
    ASSERT_TRUE(shard->heartbeat({"g", 1, member, std::nullopt}).ok());
  }
  EXPECT_EQ(fetched(*shard, "g", 0), 3);
  EXPECT_EQ(fetched(*shard, "simple", 0), std::nullopt);  // nobody uses it since its commit
  EXPECT_EQ(shard->list().size(), 1U);
  leave_group(*shard, member);
  world.time.advance_ms(6 * day_ms);
  EXPECT_EQ(fetched(*shard, "g", 0), 3);
  world.time.advance_ms(day_ms + 700'000);
  EXPECT_EQ(fetched(*shard, "g", 0), std::nullopt);
  EXPECT_TRUE(shard->list().empty());
  EXPECT_TRUE(world.open()->list().empty());
}

TEST_F(group_shard_test, offsets_of_deleted_topics_go) {
  auto shard = world.open();
  ASSERT_EQ(commit(*shard, {"g", -1, "", std::nullopt}, 3), fine);
  world.topics.topics["t"].first = uuid::make_random(world.random);  // deleted and made again
  EXPECT_EQ(fetched(*shard, "g", 0), std::nullopt);
  shard->clean_up(group_shard::cleaning::all);
  world.time.advance_ms(10);
  EXPECT_TRUE(shard->list().empty());
  EXPECT_FALSE(world.log->entries.back().record.value);  // a tombstone
}

TEST_F(group_shard_test, failed_load_is_tried_again) {
  world.log->failure = error{error_code::io_error, "not now"};
  auto shard = std::make_shared<group_shard>(
      world.log, shard_services{world.settings, world.time, world.random, world.time, world.sink,
                                world.topics});
  pending<void> first;
  shard->when_loaded(first.reply());
  world.time.settle();
  EXPECT_EQ(first.code(), error_code::io_error);
  world.log->failure.reset();
  pending<void> second;
  shard->when_loaded(second.reply());
  world.time.settle();
  EXPECT_TRUE(second.is_ok());
}

TEST_F(group_shard_test, unloading_answers_who_waits) {
  auto shard = world.open();
  join_group_request request;
  request.group = "g";
  request.protocol_type = "test";
  request.protocols = {{"p", {}}};
  pending<join_group_answer> parked;
  shard->join(request, parked.reply());
  shard->unload({error_code::closed, "closing"});
  EXPECT_EQ(parked.code(), error_code::closed);
  pending<void> later;
  shard->when_loaded(later.reply());
  EXPECT_EQ(later.code(), error_code::closed);
}

}  // namespace
}  // namespace ringlog::broker
