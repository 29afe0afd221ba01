// Consumer groups (KIP-848) over a shard: members that join, are told what to give back and get,
// are fenced, leave; static members, expressions, commits, classic members, and what is left of it
// all after another load.

#include "broker/group/consumer_group.h"

#include <gtest/gtest.h>

#include "broker/group/consumer_protocol.h"
#include "broker/group/record_codec.h"
#include "broker/shard_fixture.h"
#include "protocol/stored/consumer_protocol/subscription.h"

namespace ringlog::broker {
namespace {

class consumer_group_test : public testing::Test {
 protected:
  consumer_group_test() {
    world.settings.consumer_assignment_interval_ms = 0;
    shard = world.open();
  }

  uuid t() const { return world.topics.topics.at("t").first; }

  consumer_heartbeat_request joining(const std::string& member) const {
    consumer_heartbeat_request request;
    request.group = "g";
    request.member = member;
    request.client_id = "client";
    request.client_host = "/127.0.0.1";
    request.rebalance_timeout_ms = 30'000;
    request.topics = {{"t"}};
    request.owned.emplace();
    return request;
  }
  static consumer_heartbeat_request beat(const std::string& member, std::int32_t epoch) {
    consumer_heartbeat_request request;
    request.group = "g";
    request.member = member;
    request.epoch = epoch;
    request.client_id = "client";
    request.client_host = "/127.0.0.1";
    return request;
  }
  consumer_heartbeat_request beat(const std::string& member, std::int32_t epoch,
                                  std::set<std::int32_t> owned) const {
    auto request = beat(member, epoch);
    request.owned.emplace();
    if (!owned.empty()) request.owned->emplace(t(), std::move(owned));
    return request;
  }

  result<consumer_heartbeat_answer> send(consumer_heartbeat_request request) {
    std::optional<result<consumer_heartbeat_answer>> got;
    shard->consumer_heartbeat(std::move(request), [&](auto answer) { got = std::move(answer); });
    world.time.advance_ms(5);
    if (!got) return error{error_code::internal, "no answer"};
    return std::move(*got);
  }
  std::set<std::int32_t> partitions(const result<consumer_heartbeat_answer>& answer) const {
    if (!answer.ok() || !answer->assignment) return {-1};
    const auto found = answer->assignment->find(t());
    return found == answer->assignment->end() ? std::set<std::int32_t>{} : found->second;
  }
  std::string state() { return shard->describe_consumer("g")->state; }

  // What a later load makes of the log is what is known now.
  void expect_same_after_load() {
    const auto now = shard->describe_consumer("g");
    const auto later = world.open()->describe_consumer("g");
    ASSERT_EQ(now.ok(), later.ok());
    if (!now.ok()) return;
    EXPECT_EQ(now->state, later->state);
    EXPECT_EQ(now->epoch, later->epoch);
    EXPECT_EQ(now->assignment_epoch, later->assignment_epoch);
    ASSERT_EQ(now->members.size(), later->members.size());
    for (std::size_t i = 0; i < now->members.size(); ++i) {
      EXPECT_EQ(now->members[i].member, later->members[i].member);
      EXPECT_EQ(now->members[i].epoch, later->members[i].epoch);
      EXPECT_EQ(now->members[i].assignment, later->members[i].assignment);
      EXPECT_EQ(now->members[i].target, later->members[i].target);
      EXPECT_EQ(now->members[i].topics, later->members[i].topics);
    }
  }

  error_code commit(const std::string& member, std::int32_t epoch, std::int32_t partition = 0) {
    pending<void> done;
    shard->commit({"g", epoch, member, std::nullopt},
                  {{partition_of_t(partition), world.offset(1)}}, done.reply());
    world.time.advance_ms(5);
    return done.is_ok() ? fine : done.code();
  }
  static constexpr error_code fine = error_code::internal;

  shard_world world{7};
  std::shared_ptr<group_shard> shard;
};

TEST_F(consumer_group_test, the_first_member_gets_everything_at_once) {
  const auto joined = send(joining("a"));
  ASSERT_TRUE(joined.ok()) << joined.failure().message;
  EXPECT_EQ(joined->epoch, 2);
  EXPECT_EQ(joined->heartbeat_interval_ms, 5'000);
  EXPECT_EQ(partitions(joined), (std::set<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(state(), "Stable");
  const auto again = send(beat("a", 2));
  EXPECT_EQ(again->epoch, 2);
  EXPECT_FALSE(again->assignment);
  EXPECT_EQ(shard->list().at(0).type, "Consumer");
  expect_same_after_load();
}

TEST_F(consumer_group_test, a_partition_changes_hands_only_after_it_was_given_back) {
  send(joining("a")).value();
  const auto joined = send(joining("b"));
  EXPECT_EQ(joined->epoch, 3);
  EXPECT_TRUE(partitions(joined).empty());  // "a" has them all
  EXPECT_EQ(state(), "Reconciling");
  const auto told = send(beat("a", 2));
  EXPECT_EQ(told->epoch, 2);  // until it has given back
  ASSERT_EQ(partitions(told).size(), 2U);
  EXPECT_FALSE(send(beat("b", 3))->assignment);
  expect_same_after_load();
  const auto kept = partitions(told);
  const auto gave_back = send(beat("a", 2, kept));
  EXPECT_EQ(gave_back->epoch, 3);
  const auto got = partitions(send(beat("b", 3)));
  EXPECT_EQ(got.size(), 2U);
  for (const std::int32_t partition : got) EXPECT_FALSE(kept.contains(partition));
  EXPECT_EQ(state(), "Stable");
  expect_same_after_load();
}

TEST_F(consumer_group_test, epochs_fence) {
  send(joining("a")).value();
  EXPECT_EQ(send(beat("nobody", 1)).code(), error_code::unknown_member_id);
  EXPECT_EQ(send(beat("a", 3)).code(), consumer_failures::fenced_member_epoch);
  send(joining("b")).value();
  const auto told = send(beat("a", 2));
  send(beat("a", 2, partitions(told))).value();  // now at 3
  // The answer may have been lost: the earlier epoch will do, with what the member has.
  EXPECT_EQ(send(beat("a", 2, partitions(told)))->epoch, 3);
  EXPECT_EQ(send(beat("a", 2)).code(), consumer_failures::fenced_member_epoch);
  auto other = beat("a", 2);
  other.group = "other";
  EXPECT_EQ(send(other).code(), error_code::group_id_not_found);
}

TEST_F(consumer_group_test, who_leaves_or_is_silent_is_out) {
  send(joining("a")).value();
  send(joining("b")).value();
  EXPECT_EQ(send(beat("b", leaving_epoch))->epoch, leaving_epoch);
  EXPECT_EQ(shard->describe_consumer("g")->members.size(), 1U);
  EXPECT_EQ(state(), "Assigning");
  EXPECT_EQ(send(beat("a", 2, {0, 1, 2, 3}))->epoch, 4);
  world.time.advance_ms(world.settings.consumer_session_timeout_ms - 1'000);
  EXPECT_EQ(state(), "Stable");
  world.time.advance_ms(1'500);
  EXPECT_EQ(state(), "Empty");
  EXPECT_EQ(send(beat("a", 4)).code(), error_code::unknown_member_id);
  expect_same_after_load();
}

TEST_F(consumer_group_test, who_does_not_give_back_in_time_is_out) {
  send(joining("a")).value();
  send(joining("b")).value();
  send(beat("a", 2)).value();
  for (int i = 0; i < 7; ++i) {  // alive, but it keeps everything
    world.time.advance_ms(5'000);
    send(beat("b", 3)).value();
    if (!send(beat("a", 2)).ok()) break;
  }
  const auto left = shard->describe_consumer("g").value();
  ASSERT_EQ(left.members.size(), 1U);
  EXPECT_EQ(left.members[0].assignment.at(t()).size(), 4U);
}

TEST_F(consumer_group_test, configs_of_the_group_count_first) {
  world.topics.group_configs[{"g", "consumer.session.timeout.ms"}] = 50'000;
  world.topics.group_configs[{"g", "consumer.heartbeat.interval.ms"}] = 7'000;
  EXPECT_EQ(send(joining("a"))->heartbeat_interval_ms, 7'000);
  world.time.advance_ms(49'000);
  EXPECT_EQ(state(), "Stable");
  world.time.advance_ms(2'000);
  EXPECT_EQ(state(), "Empty");
}

TEST_F(consumer_group_test, topics_that_grow_or_are_made_are_noticed) {
  auto request = joining("a");
  request.topics = {{"t", "later"}};
  EXPECT_EQ(send(request)->epoch, 2);
  world.topics.topics["t"].second = 6;
  ++world.topics.changes;
  const auto grown = send(beat("a", 2));
  EXPECT_EQ(grown->epoch, 3);
  EXPECT_EQ(partitions(grown).size(), 6U);
  world.topics.topics["later"] = {uuid::make_random(world.random), 1};
  ++world.topics.changes;
  EXPECT_EQ(send(beat("a", 3))->assignment->size(), 2U);
  ++world.topics.changes;  // something else
  EXPECT_EQ(send(beat("a", 4))->epoch, 4);
}

TEST_F(consumer_group_test, members_that_join_together_share_a_target) {
  world.settings.consumer_assignment_interval_ms = 1'000;
  EXPECT_EQ(send(joining("a"))->epoch, 2);
  EXPECT_EQ(send(joining("b"))->epoch, 2);
  EXPECT_EQ(state(), "Assigning");
  world.time.advance_ms(1'000);
  EXPECT_EQ(send(beat("b", 2))->epoch, 3);
  EXPECT_EQ(state(), "Reconciling");
}

TEST_F(consumer_group_test, range_gives_runs) {
  world.topics.topics["u"] = {uuid::make_random(world.random), 4};
  for (const char* member : {"a", "b", "c"}) {
    auto request = joining(member);
    request.topics = {{"t", "u"}};
    request.assignor = "range";
    send(request).value();
  }
  const auto described = shard->describe_consumer("g");
  EXPECT_EQ(described->assignor, "range");
  for (const auto& member : described->members) {
    ASSERT_EQ(member.target.size(), 2U);
    EXPECT_EQ(member.target.begin()->second, member.target.rbegin()->second);
  }
  EXPECT_EQ(described->members[0].target.at(t()), (std::set<std::int32_t>{0, 1}));
}

TEST_F(consumer_group_test, a_static_member_keeps_its_place_while_it_is_away) {
  auto first = joining("a");
  first.instance = "one";
  send(first).value();
  auto second = joining("b");
  second.instance = "one";
  EXPECT_EQ(send(second).code(), consumer_failures::unreleased_instance_id);
  auto other = beat("b", 2);
  other.instance = "one";
  EXPECT_EQ(send(other).code(), error_code::fenced_instance_id);
  auto away = beat("a", leaving_for_a_while_epoch);
  away.instance = "one";
  EXPECT_EQ(send(away)->epoch, leaving_for_a_while_epoch);
  const auto back = send(second);
  ASSERT_TRUE(back.ok()) << back.failure().message;
  EXPECT_EQ(back->epoch, 2);  // no rebalance
  EXPECT_EQ(partitions(back).size(), 4U);
  EXPECT_EQ(shard->describe_consumer("g")->members.size(), 1U);
  expect_same_after_load();
  send([&] {
    auto gone = beat("b", leaving_for_a_while_epoch);
    gone.instance = "one";
    return gone;
  }())
      .value();
  world.time.advance_ms(world.settings.consumer_session_timeout_ms + 1'000);
  EXPECT_EQ(state(), "Empty");
}

TEST_F(consumer_group_test, expressions_follow_the_topics) {
  world.topics.topics["logs.a"] = {uuid::make_random(world.random), 1};
  auto request = joining("a");
  request.topics.reset();
  request.topic_expression = "logs\\..*";
  EXPECT_EQ(send(request)->assignment->size(), 1U);
  world.topics.topics["logs.b"] = {uuid::make_random(world.random), 1};
  world.topics.topics["xlogs.b"] = {uuid::make_random(world.random), 1};
  ++world.topics.changes;
  EXPECT_EQ(send(beat("a", 2))->assignment->size(), 2U);
  expect_same_after_load();
  auto bad = joining("b");
  bad.topic_expression = "(";
  const std::size_t records = world.log->entries.size();
  EXPECT_EQ(send(bad).code(), consumer_failures::invalid_regular_expression);
  EXPECT_EQ(world.log->entries.size(), records);
  auto none = beat("a", 3);
  none.topic_expression = "";
  none.topics = {{"t"}};
  none.owned.emplace();
  EXPECT_EQ(partitions(send(none)).size(), 4U);
  expect_same_after_load();
}

TEST_F(consumer_group_test, commits_need_the_epoch_of_the_assignment_or_a_later_one) {
  send(joining("a")).value();
  EXPECT_EQ(commit("a", 2), fine);
  EXPECT_EQ(commit("a", 3), consumer_failures::stale_member_epoch);
  EXPECT_EQ(commit("nobody", 1), error_code::unknown_member_id);
  EXPECT_EQ(commit("", -1), error_code::unknown_member_id);
  send(joining("b")).value();
  const auto kept = partitions(send(beat("a", 2)));
  send(beat("a", 2, kept)).value();  // at 3; what it kept it has since 2
  const auto got = partitions(send(beat("b", 3)));
  EXPECT_EQ(commit("a", 2, *kept.begin()), fine);
  EXPECT_EQ(commit("a", 2, *got.begin()), consumer_failures::stale_member_epoch);
  EXPECT_EQ(commit("b", 3, *got.begin()), fine);
  EXPECT_EQ(commit("b", 2, *got.begin()), consumer_failures::stale_member_epoch);
  offset_fetch_request fetch{"g", std::nullopt, false, "a", 2};
  EXPECT_EQ(shard->fetch_offsets(fetch).code(), consumer_failures::stale_member_epoch);
  fetch.member_epoch = 3;
  EXPECT_TRUE(shard->fetch_offsets(fetch).ok());
  pending<void> old;
  shard->commit({"g", 3, "a", std::nullopt}, {}, old.reply(), false);
  EXPECT_EQ(old.code(), error_code::unsupported);
}

TEST_F(consumer_group_test, a_full_group_takes_nobody_else) {
  world.settings.consumer_size_max = 1;
  send(joining("a")).value();
  EXPECT_EQ(send(joining("b")).code(), error_code::group_max_size_reached);
  EXPECT_TRUE(send(beat("a", 2)).ok());
}

TEST_F(consumer_group_test, is_deleted_when_empty) {
  send(joining("a")).value();
  pending<void> refused;
  shard->delete_group("g", refused.reply());
  EXPECT_EQ(refused.code(), error_code::non_empty_group);
  send(beat("a", leaving_epoch)).value();
  pending<void> deleted;
  shard->delete_group("g", deleted.reply());
  world.time.advance_ms(5);
  EXPECT_TRUE(deleted.is_ok());
  EXPECT_TRUE(shard->list().empty());
  EXPECT_TRUE(world.open()->list().empty());
}

TEST_F(consumer_group_test, a_failed_append_leaves_what_the_log_says) {
  send(joining("a")).value();
  world.log->failure = error{error_code::storage_failed, "no"};
  EXPECT_FALSE(send(joining("b")).ok());
  world.log->failure.reset();
  pending<void> loaded;
  shard->when_loaded(loaded.reply());
  world.time.settle();
  ASSERT_TRUE(loaded.is_ok());
  EXPECT_EQ(shard->describe_consumer("g")->members.size(), 1U);
  EXPECT_EQ(send(beat("a", 2))->epoch, 2);
}

// ---- members of both protocols in one group

class mixed_group_test : public consumer_group_test {
 protected:
  byte_buffer subscription(std::set<std::int32_t> owned = {}) const {
    protocol::consumer_protocol_subscription said;
    said.topics = {"t"};
    if (!owned.empty()) said.owned_partitions.push_back({"t", {owned.begin(), owned.end()}});
    return encode_stored(1, said, 1);
  }
  join_group_request classic(const std::string& member, std::set<std::int32_t> owned = {}) const {
    join_group_request request;
    request.group = "g";
    request.member = member;
    request.client_id = "old";
    request.client_host = "/127.0.0.1";
    request.protocol_type = "consumer";
    request.protocols = {{"cooperative-sticky", subscription(owned)}};
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 20'000;
    return request;
  }
  result<join_group_answer> join(const join_group_request& request) {
    pending<join_group_answer> joined;
    shard->join(request, joined.reply());
    world.time.advance_ms(5);
    if (!joined.is_there()) return error{error_code::internal, "no answer"};
    if (!joined.is_ok()) return error{joined.code(), ""};
    return joined.ok();
  }
  std::set<std::int32_t> sync(const join_group_answer& joined,
                              std::vector<member_assignment> assignments = {}) {
    pending<sync_group_answer> synced;
    shard->sync({"g", joined.generation, joined.member, std::nullopt, std::nullopt, std::nullopt,
                 std::move(assignments)},
                synced.reply());
    world.time.advance_ms(5);
    EXPECT_TRUE(synced.is_ok());
    if (!synced.is_ok()) return {-1};
    const auto read = read_assignment(synced.ok().assignment, world.topics);
    const auto found = read->partitions.find(t());
    return found == read->partitions.end() ? std::set<std::int32_t>{} : found->second;
  }
  error_code classic_beat(const join_group_answer& as) {
    const status alive = shard->heartbeat({"g", as.generation, as.member, std::nullopt});
    return alive.ok() ? fine : alive.failure().code;
  }
  // A classic group with one member that has everything.
  join_group_answer old_group() {
    world.settings.initial_rebalance_delay_ms = 0;
    const auto joined = join(classic(""));
    EXPECT_TRUE(joined.ok());
    sync(*joined,
         {{joined->member, write_assignment({{t(), {0, 1, 2, 3}}}, subscription(), world.topics)}});
    return *joined;
  }
};

TEST_F(mixed_group_test, a_classic_group_goes_on_as_a_consumer_group) {
  const auto old = old_group();
  const auto joined = send(joining("b"));
  ASSERT_TRUE(joined.ok()) << joined.failure().message;
  EXPECT_EQ(joined->epoch, 2);
  EXPECT_TRUE(partitions(joined).empty());
  EXPECT_EQ(shard->list().at(0).type, "Consumer");
  expect_same_after_load();
  // The classic member is told to come again, gives back, comes again.
  EXPECT_EQ(classic_beat(old), error_code::rebalance_in_progress);
  const auto told = join(classic(old.member, {0, 1, 2, 3}));
  ASSERT_TRUE(told.ok());
  const auto kept = sync(*told);
  EXPECT_EQ(kept.size(), 2U);
  EXPECT_EQ(classic_beat(*told), error_code::rebalance_in_progress);
  const auto done = join(classic(old.member, kept));
  EXPECT_EQ(done->generation, 2);
  EXPECT_EQ(sync(*done), kept);
  EXPECT_EQ(classic_beat(*done), fine);
  EXPECT_EQ(partitions(send(beat("b", 2))).size(), 2U);
  EXPECT_EQ(state(), "Stable");
  expect_same_after_load();
  EXPECT_TRUE(shard->describe_consumer("g")->members.at(0).is_classic !=
              shard->describe_consumer("g")->members.at(1).is_classic);
}

TEST_F(mixed_group_test, goes_back_when_the_last_new_member_leaves) {
  const auto old = old_group();
  send(joining("b")).value();
  send(beat("b", leaving_epoch)).value();
  ASSERT_EQ(shard->list().at(0).type, "Classic");
  EXPECT_EQ(world.open()->list().at(0).type, "Classic");
  const auto again = join(classic(old.member));
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->generation, 2);
  EXPECT_EQ(again->leader, old.member);
}

TEST_F(mixed_group_test, the_policy_says_whether_it_changes) {
  world.settings.upgrades_groups = false;
  old_group();
  EXPECT_EQ(send(joining("b")).code(), error_code::group_id_not_found);
  EXPECT_EQ(shard->list().at(0).type, "Classic");
  world.settings.upgrades_groups = true;
  world.settings.downgrades_groups = false;
  send(joining("b")).value();
  send(beat("b", leaving_epoch)).value();
  EXPECT_EQ(shard->list().at(0).type, "Consumer");
}

TEST_F(mixed_group_test, classic_members_join_a_consumer_group_and_leave_it) {
  send(joining("b")).value();
  auto request = classic("");
  request.member_id_required = true;
  const auto asked = join(request);
  EXPECT_TRUE(asked->member_id_required);
  const auto joined = join(classic(asked->member));
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(joined->generation, 3);
  EXPECT_TRUE(sync(*joined).empty());
  const auto kept = partitions(send(beat("b", 2)));
  send(beat("b", 2, kept)).value();
  EXPECT_EQ(classic_beat(*joined), error_code::rebalance_in_progress);
  EXPECT_EQ(sync(join(classic(joined->member)).value()).size(), 2U);
  auto stranger = classic("");
  stranger.protocols[0].name = "other";
  EXPECT_EQ(join(stranger).code(), error_code::inconsistent_group_protocol);
  leave_group(*shard, joined->member);
  world.time.advance_ms(5);
  EXPECT_EQ(shard->describe_consumer("g")->members.size(), 1U);
  expect_same_after_load();
}

TEST_F(mixed_group_test, a_classic_member_that_does_not_join_again_is_out) {
  const auto old = old_group();
  send(joining("b")).value();
  for (int i = 0; i < 6 && classic_beat(old) == error_code::rebalance_in_progress; ++i) {
    world.time.advance_ms(4'000);
    send(beat("b", 2)).value();
  }
  EXPECT_EQ(classic_beat(old), error_code::unknown_member_id);
  const auto left = shard->describe_consumer("g").value();
  EXPECT_EQ(left.members.at(0).assignment.at(t()).size(), 4U);
}

TEST_F(mixed_group_test, an_empty_group_is_taken_by_either) {
  send(joining("b")).value();
  send(beat("b", leaving_epoch)).value();
  const auto old = old_group();
  EXPECT_EQ(shard->list().at(0).type, "Classic");
  leave_group(*shard, old.member);
  world.time.advance_ms(5);
  EXPECT_EQ(send(joining("b"))->epoch, 2);
  EXPECT_EQ(world.open()->list().at(0).type, "Consumer");
}

}  // namespace
}  // namespace ringlog::broker
