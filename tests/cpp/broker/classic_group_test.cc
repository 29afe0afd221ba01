#include "broker/group/classic_group.h"

#include <gtest/gtest.h>

#include "broker/simulated_time.h"

namespace ringlog::broker {
namespace {

template <typename T>
using answer = std::shared_ptr<std::optional<result<T>>>;

// One group with its log played by the test: records are "durable" when the test says so.
class classic_group_test : public testing::Test {
 protected:
  struct joined {
    answer<join_group_answer> got = std::make_shared<std::optional<result<join_group_answer>>>();
    bool is_parked() const { return !got->has_value(); }
    const join_group_answer& ok() const { return (*got)->value(); }
    error_code code() const { return (*got)->code(); }
  };
  struct synced {
    answer<sync_group_answer> got = std::make_shared<std::optional<result<sync_group_answer>>>();
    bool is_parked() const { return !got->has_value(); }
    const sync_group_answer& ok() const { return (*got)->value(); }
    error_code code() const { return (*got)->code(); }
  };

  static join_group_request request(std::string member, std::vector<std::string> protocols = {"a"},
                                    std::optional<std::string> instance = std::nullopt) {
    join_group_request made;
    made.group = "g";
    made.member = std::move(member);
    made.instance = std::move(instance);
    made.client_id = "client";
    made.protocol_type = "test";
    for (std::string& name : protocols) made.protocols.push_back({std::move(name), {}});
    made.session_timeout_ms = 10'000;
    made.rebalance_timeout_ms = 60'000;
    return made;
  }

  joined join(join_group_request made) {
    joined pending;
    group_outcome outcome;
    group.join(
        std::move(made), [got = pending.got](result<join_group_answer> a) { *got = std::move(a); },
        outcome);
    finish(outcome);
    return pending;
  }

  synced sync(const std::string& member, std::int32_t generation,
              std::vector<member_assignment> assignments = {}) {
    synced pending;
    sync_group_request made;
    made.group = "g";
    made.member = member;
    made.generation = generation;
    made.assignments = std::move(assignments);
    group_outcome outcome;
    group.sync(
        std::move(made), [got = pending.got](result<sync_group_answer> a) { *got = std::move(a); },
        outcome);
    finish(outcome);
    return pending;
  }

  error_code heartbeat(const std::string& member, std::int32_t generation) {
    const status beat = group.heartbeat({"g", generation, member, std::nullopt});
    return beat.ok() ? error_code::internal : beat.code();
  }
  static constexpr error_code fine = error_code::internal;

  void advance(std::int64_t distance_ms) {
    const monotonic_time target = time.now() + milliseconds(distance_ms);
    for (auto due = group.next_deadline(); due && *due <= target; due = group.next_deadline()) {
      time.advance_to(*due);
      group_outcome outcome;
      group.expire(outcome);
      finish(outcome);
    }
    time.advance_to(target);
  }

  void finish(group_outcome& outcome) {
    for (task& ready : outcome.answers) ready();
    if (outcome.store) {
      stored.push_back(outcome.store->value);
      if (outcome.store->after) after.push_back(std::move(outcome.store->after));
    }
  }

  void make_durable(const status& outcome = {}) {
    for (auto& next : std::exchange(after, {})) {
      group_outcome further;
      next(group, outcome, further);
      finish(further);
    }
  }

  // A stable group of as many members; the first answer's leader assigns bytes to all.
  std::vector<std::string> stabilise(int members) {
    std::vector<joined> joins;
    for (int i = 0; i < members; ++i) joins.push_back(join(request("")));
    advance(6'000);  // the initial delay, and another one for the second member on
    std::vector<std::string> ids;
    for (const joined& j : joins) ids.push_back(j.ok().member);
    std::vector<member_assignment> assignments;
    for (const std::string& id : ids) {
      assignments.push_back({id, to_buffer(as_bytes("of " + id))});
    }
    sync(joins[0].ok().leader, group.generation(), assignments);
    for (const std::string& id : ids) sync(id, group.generation());
    make_durable();
    EXPECT_EQ(group.state(), group_state::stable);
    return ids;
  }

  simulated_time time;
  seeded_random random{1};
  group_settings settings;
  classic_group group{"g", {settings, time, random}};
  std::vector<protocol::group_metadata_value> stored;
  std::vector<callback<void(classic_group&, const status&, group_outcome&)>> after;
};

TEST_F(classic_group_test, initial_rebalance_waits_for_members_to_start) {
  const joined first = join(request("", {"range", "roundrobin"}));
  advance(2'000);
  const joined second = join(request("", {"roundrobin", "range"}));
  advance(2'000);
  EXPECT_TRUE(first.is_parked());  // a new member came within the delay, so it is given another one
  advance(2'000);
  ASSERT_FALSE(first.is_parked());
  ASSERT_FALSE(second.is_parked());
  EXPECT_EQ(first.ok().generation, 1);
  EXPECT_EQ(first.ok().leader, first.ok().member);
  EXPECT_EQ(first.ok().members.size(), 2U);
  EXPECT_TRUE(second.ok().members.empty());
  EXPECT_EQ(first.ok().protocol, second.ok().protocol);
  EXPECT_TRUE(first.ok().member.starts_with("client-"));
  EXPECT_EQ(group.state(), group_state::completing_rebalance);
}

TEST_F(classic_group_test, assignments_take_effect_when_durable) {
  settings.initial_rebalance_delay_ms = 0;
  const joined only = join(request(""));
  advance(0);
  const std::string id = only.ok().member;
  const synced waiting = sync(id, 1, {{id, to_buffer(as_bytes("all"))}});
  EXPECT_TRUE(waiting.is_parked());
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(as_text(stored[0].members.at(0).assignment), "all");
  EXPECT_EQ(stored[0].leader, id);
  make_durable();
  ASSERT_FALSE(waiting.is_parked());
  EXPECT_EQ(as_text(waiting.ok().assignment), "all");
  EXPECT_EQ(heartbeat(id, 1), fine);
  EXPECT_EQ(heartbeat(id, 2), error_code::illegal_generation);
  EXPECT_EQ(heartbeat("other", 1), error_code::unknown_member_id);
}

TEST_F(classic_group_test, failed_store_starts_another_rebalance) {
  settings.initial_rebalance_delay_ms = 0;
  const joined only = join(request(""));
  advance(0);
  const synced waiting = sync(only.ok().member, 1, {});
  make_durable(make_error(error_code::no_space, "full"));
  EXPECT_EQ(waiting.code(), error_code::no_space);
  EXPECT_EQ(group.state(), group_state::preparing_rebalance);
}

TEST_F(classic_group_test, member_id_is_given_before_joining) {
  join_group_request made = request("");
  made.member_id_required = true;
  const joined asked = join(made);
  ASSERT_FALSE(asked.is_parked());
  EXPECT_TRUE(asked.ok().member_id_required);
  EXPECT_EQ(group.state(), group_state::empty);
  EXPECT_TRUE(group.is_empty());
  const joined again = join(request(asked.ok().member));
  EXPECT_TRUE(again.is_parked());
  advance(60'000);
  EXPECT_EQ(again.ok().member, asked.ok().member);
}

TEST_F(classic_group_test, given_id_that_never_joins_expires) {
  join_group_request made = request("");
  made.member_id_required = true;
  const std::string given = join(made).ok().member;
  advance(10'000);
  EXPECT_EQ(join(request(given)).code(), error_code::unknown_member_id);
  EXPECT_EQ(join(request("client-unknown")).code(), error_code::unknown_member_id);
}

TEST_F(classic_group_test, silent_member_is_replaced_by_the_others) {
  const auto ids = stabilise(3);
  advance(5'000);
  EXPECT_EQ(heartbeat(ids[0], 1), fine);
  EXPECT_EQ(heartbeat(ids[1], 1), fine);
  advance(6'000);  // the third one's session is over
  EXPECT_EQ(group.state(), group_state::preparing_rebalance);
  EXPECT_EQ(heartbeat(ids[0], 1), error_code::rebalance_in_progress);
  const joined first = join(request(ids[0]));
  EXPECT_TRUE(first.is_parked());
  const joined second = join(request(ids[1]));
  EXPECT_EQ(first.ok().generation, 2);
  EXPECT_EQ(second.ok().generation, 2);
  EXPECT_EQ(group.members().size(), 2U);
}

TEST_F(classic_group_test, who_does_not_rejoin_in_time_is_out) {
  const auto ids = stabilise(2);
  const joined third = join(request(""));
  EXPECT_TRUE(third.is_parked());
  for (int i = 0; i < 12; ++i) {
    for (const std::string& id : ids) heartbeat(id, 1);
    advance(5'000);
  }
  EXPECT_EQ(third.ok().generation, 2);
  EXPECT_EQ(third.ok().leader, third.ok().member);
  EXPECT_EQ(group.members().size(), 1U);
}

TEST_F(classic_group_test, last_member_leaves_an_empty_stored_group) {
  const auto ids = stabilise(1);
  group_outcome outcome;
  const auto left =
      group.leave({{ids[0], std::nullopt, ""}, {"nobody", std::nullopt, ""}}, outcome);
  finish(outcome);
  EXPECT_FALSE(left[0]);
  EXPECT_EQ(left[1]->code, error_code::unknown_member_id);
  EXPECT_EQ(group.state(), group_state::empty);
  EXPECT_EQ(stored.back().generation, 2);
  EXPECT_TRUE(stored.back().members.empty());
  EXPECT_EQ(stored.back().protocol, std::nullopt);
  EXPECT_EQ(stored.back().leader, std::nullopt);
  EXPECT_EQ(stored.back().protocol_type, "test");
}

TEST_F(classic_group_test, static_member_returns_without_rebalance) {
  settings.initial_rebalance_delay_ms = 0;
  const joined first = join(request("", {"a"}, "one"));
  advance(0);
  const std::string old_id = first.ok().member;
  EXPECT_TRUE(old_id.starts_with("one-"));
  sync(old_id, 1, {{old_id, to_buffer(as_bytes("mine"))}});
  make_durable();

  const joined back = join(request("", {"a"}, "one"));
  EXPECT_TRUE(back.is_parked());  // until its new id is durable
  EXPECT_EQ(stored.back().members.at(0).group_instance_id, "one");
  make_durable();
  EXPECT_EQ(back.ok().generation, 1);
  EXPECT_TRUE(back.ok().skip_assignment);
  EXPECT_NE(back.ok().member, old_id);
  EXPECT_EQ(as_text(sync(back.ok().member, 1).ok().assignment), "mine");
  const status fenced = group.heartbeat({"g", 1, old_id, "one"});
  EXPECT_EQ(fenced.code(), error_code::fenced_instance_id);
}

TEST_F(classic_group_test, static_member_is_removed_by_its_instance) {
  settings.initial_rebalance_delay_ms = 0;
  join(request("", {"a"}, "one"));
  advance(0);
  group_outcome outcome;
  EXPECT_FALSE(group.leave({{"", "one", ""}}, outcome)[0]);
  finish(outcome);
  EXPECT_EQ(group.state(), group_state::empty);
}

TEST_F(classic_group_test, members_need_a_protocol_in_common) {
  join(request("", {"a", "b"}));
  EXPECT_EQ(join(request("", {"c"})).code(), error_code::inconsistent_group_protocol);
  join_group_request other_type = request("", {"a"});
  other_type.protocol_type = "connect";
  EXPECT_EQ(join(other_type).code(), error_code::inconsistent_group_protocol);
  EXPECT_EQ(join(request("", {})).code(), error_code::inconsistent_group_protocol);
}

TEST_F(classic_group_test, group_max_size) {
  settings.size_max = 2;
  stabilise(2);
  EXPECT_EQ(join(request("")).code(), error_code::group_max_size_reached);
  EXPECT_EQ(group.members().size(), 2U);
}

TEST_F(classic_group_test, member_that_never_syncs_is_removed) {
  settings.initial_rebalance_delay_ms = 0;
  const joined first = join(request(""));
  const joined second = join(request(""));
  advance(0);
  ASSERT_FALSE(second.is_parked());
  for (int i = 0; i < 12; ++i) {  // both are alive, but the second does not ask for its assignment
    heartbeat(first.ok().member, 1);
    heartbeat(second.ok().member, 1);
    advance(5'000);
  }
  EXPECT_EQ(group.state(), group_state::empty);  // nor did the leader
  EXPECT_TRUE(group.members().empty());
}

TEST_F(classic_group_test, commits_need_the_current_generation) {
  EXPECT_TRUE(group.accept_commit({"g", -1, "", std::nullopt}).ok());
  const auto ids = stabilise(2);
  EXPECT_EQ(group.accept_commit({"g", -1, "", std::nullopt}).code(), error_code::unknown_member_id);
  EXPECT_TRUE(group.accept_commit({"g", 1, ids[0], std::nullopt}).ok());
  EXPECT_EQ(group.accept_commit({"g", 0, ids[0], std::nullopt}).code(),
            error_code::illegal_generation);
  join(request(""));  // a rebalance begins: commits are still taken before rejoining
  EXPECT_TRUE(group.accept_commit({"g", 1, ids[0], std::nullopt}).ok());
  join(request(ids[0]));
  join(request(ids[1]));
  EXPECT_EQ(group.accept_commit({"g", 2, ids[0], std::nullopt}).code(),
            error_code::rebalance_in_progress);
}

TEST_F(classic_group_test, leader_that_joins_again_wants_a_rebalance) {
  const auto ids = stabilise(2);
  const std::string leader = *group.leader();
  const std::string follower = ids[0] == leader ? ids[1] : ids[0];
  const joined same = join(request(follower));
  ASSERT_FALSE(same.is_parked());
  EXPECT_EQ(same.ok().generation, 1);
  EXPECT_TRUE(join(request(leader)).is_parked());
  EXPECT_EQ(group.state(), group_state::preparing_rebalance);
}

TEST_F(classic_group_test, dead_group_answers_everyone) {
  const joined parked = join(request(""));
  group_outcome outcome;
  group.die({error_code::not_coordinator, "gone"}, outcome);
  finish(outcome);
  EXPECT_EQ(parked.code(), error_code::not_coordinator);
  EXPECT_EQ(join(request("")).code(), error_code::coordinator_not_available);
}

TEST_F(classic_group_test, stored_group_comes_back_stable) {
  const auto ids = stabilise(2);
  classic_group again("g", stored.back(), {settings, time, random});
  EXPECT_EQ(again.state(), group_state::stable);
  EXPECT_EQ(again.generation(), 1);
  EXPECT_EQ(again.members().size(), 2U);
  EXPECT_EQ(again.leader(), group.leader());
  EXPECT_EQ(again.to_stored(), stored.back());
  EXPECT_TRUE(again.heartbeat({"g", 1, ids[0], std::nullopt}).ok());
}

}  // namespace
}  // namespace ringlog::broker
