#include "client/consumer_membership.h"

#include <gtest/gtest.h>

#include "client/group_commit.h"
#include "scripted_broker.h"

namespace ringlog::client {
namespace {

using broker::consumer_heartbeat_answer;
using broker::consumer_heartbeat_request;
using broker::partitions_by_topic;
using kind = group_step::kind;

// A member whose coordinator says what a test wants; no thread, no time.
class ConsumerMembershipTest : public ::testing::Test {
 protected:
  ConsumerMembershipTest() {
    options_.group_id = "g";
    options_.protocol = group_protocol::consumer;
    broker_.add_topic("a", 4);
    broker_.add_topic("b", 4);
  }
  ~ConsumerMembershipTest() override { engine_.drop_all(); }

  std::shared_ptr<group_membership> make() {
    return group_membership::make(over_, options_, [this] { ++changes_; });
  }

  partitions_by_topic of(const std::string& topic, std::set<std::int32_t> partitions) {
    return {{broker_.topics[topic].id, std::move(partitions)}};
  }
  static std::vector<topic_partition> named(const std::string& topic,
                                            std::vector<std::int32_t> partitions) {
    std::vector<topic_partition> all;
    for (const std::int32_t each : partitions) all.push_back({topic, partition_id_t(each)});
    return all;
  }

  void answers(std::int32_t epoch, std::optional<partitions_by_topic> assignment = std::nullopt) {
    broker_.beat_answers.push_back(consumer_heartbeat_answer{"", epoch, 5'000, assignment});
  }
  void answers(error_code code) { broker_.beat_answers.push_back(error{code, "scripted"}); }

  // What the member wants done now, done at once.
  std::optional<group_step> step(group_membership& member) {
    engine_.run();
    auto next = member.next_step();
    engine_.run();
    EXPECT_TRUE(next.ok()) << next.failure().message;
    if (!next.ok() || !*next) return std::nullopt;
    member.step_made(**next);
    engine_.run();
    return **next;
  }
  void expect_step(group_membership& member, kind what, std::vector<topic_partition> partitions) {
    const auto made = step(member);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->what, what);
    EXPECT_EQ(made->partitions, partitions);
  }
  void expect_failure(group_membership& member, error_code code) {
    expect_step(member, kind::lose, {});
    const auto failed = member.next_step();
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.code(), code);
  }

  // A member at epoch 1 that holds a-0 and a-1.
  std::shared_ptr<group_membership> settled() {
    auto member = make();
    member->subscribe({{"a"}, std::nullopt});
    answers(1, of("a", {0, 1}));
    EXPECT_FALSE(step(*member));
    expect_step(*member, kind::assign, named("a", {0, 1}));
    EXPECT_TRUE(member->is_settled());
    broker_.beats.clear();
    return member;
  }

  std::shared_ptr<scripted_transport> over_ = std::make_shared<scripted_transport>();
  scripted_broker& broker_ = over_->broker();
  manual_executor& engine_ = over_->engine();
  consumer_options options_;
  int changes_ = 0;
};

TEST_F(ConsumerMembershipTest, TheFirstHeartbeatTellsEverythingTheNextOnesWhatChanged) {
  options_.remote_assignor = "range";
  options_.max_poll_interval_ms = 60'000;
  const auto member = make();
  EXPECT_FALSE(step(*member));
  EXPECT_TRUE(broker_.beats.empty());
  member->subscribe({{"b", "a"}, std::nullopt});
  answers(1, of("a", {0}));
  EXPECT_FALSE(step(*member));
  ASSERT_EQ(broker_.beats.size(), 1u);
  const consumer_heartbeat_request joining = broker_.beats[0];
  EXPECT_EQ(joining.group, "g");
  EXPECT_EQ(joining.member.size(), 22u);
  EXPECT_EQ(joining.epoch, 0);
  EXPECT_EQ(joining.rebalance_timeout_ms, 60'000);
  EXPECT_EQ(joining.topics, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(joining.topic_expression);
  EXPECT_EQ(joining.assignor, "range");
  EXPECT_EQ(joining.owned, partitions_by_topic());
  EXPECT_FALSE(member->is_settled());
  EXPECT_GT(changes_, 0);

  expect_step(*member, kind::assign, named("a", {0}));
  ASSERT_EQ(broker_.beats.size(), 2u);  // without waiting for the interval
  EXPECT_EQ(broker_.beats[1].epoch, 1);
  EXPECT_EQ(broker_.beats[1].member, joining.member);
  EXPECT_EQ(broker_.beats[1].owned, of("a", {0}));
  EXPECT_FALSE(broker_.beats[1].topics);
  EXPECT_FALSE(broker_.beats[1].assignor);
  EXPECT_EQ(broker_.beats[1].rebalance_timeout_ms, -1);

  engine_.advance(milliseconds(4'999));
  EXPECT_EQ(broker_.beats.size(), 2u);
  engine_.advance(milliseconds(1));
  ASSERT_EQ(broker_.beats.size(), 3u);
  EXPECT_FALSE(broker_.beats[2].owned);
  EXPECT_EQ(member->identity().generation, 1);
  EXPECT_EQ(member->identity().member, joining.member);
}

TEST_F(ConsumerMembershipTest, TheCoordinatorSaysHowOftenTheHeartBeats) {
  const auto member = settled();
  broker_.beat_answers.push_back(consumer_heartbeat_answer{"", 1, 700, std::nullopt});
  broker_.last_beat.heartbeat_interval_ms = 700;
  engine_.advance(milliseconds(5'000));
  for (int beat = 2; beat < 5; ++beat) {
    engine_.advance(milliseconds(700));
    EXPECT_EQ(broker_.beats.size(), static_cast<std::size_t>(beat));
  }
}

TEST_F(ConsumerMembershipTest, WhatGoesIsGivenBackBeforeMoreIsTaken) {
  const auto member = settled();
  answers(1, of("a", {1, 2}));
  engine_.advance(milliseconds(5'000));
  const auto revoke = member->next_step();
  ASSERT_TRUE(revoke.ok() && *revoke);
  EXPECT_EQ((*revoke)->what, kind::revoke);
  EXPECT_EQ((*revoke)->partitions, named("a", {1}));
  // While the consumer is busy with it, it still has them.
  engine_.advance(milliseconds(5'000));
  EXPECT_FALSE(broker_.beats.back().owned);
  member->step_made(**revoke);
  expect_step(*member, kind::assign, named("a", {1, 2}));
  EXPECT_EQ(broker_.beats.back().owned, of("a", {1, 2}));
  EXPECT_FALSE(step(*member));
  EXPECT_TRUE(member->is_settled());
}

TEST_F(ConsumerMembershipTest, ARevocationAloneIsToldToo) {
  const auto member = settled();
  answers(2, partitions_by_topic());
  engine_.advance(milliseconds(5'000));
  expect_step(*member, kind::revoke, {});
  expect_step(*member, kind::assign, {});
  EXPECT_EQ(broker_.beats.back().owned, partitions_by_topic());
  EXPECT_EQ(broker_.beats.back().epoch, 2);
}

TEST_F(ConsumerMembershipTest, AnAssignmentThatComesMeanwhileIsTheNextAim) {
  const auto member = settled();
  answers(2, of("a", {1}));
  engine_.advance(milliseconds(5'000));
  const auto revoke = member->next_step();
  ASSERT_TRUE(revoke.ok() && *revoke);
  answers(3, of("a", {0, 1, 3}));
  engine_.advance(milliseconds(5'000));
  member->step_made(**revoke);
  expect_step(*member, kind::assign, named("a", {0, 1, 3}));
}

TEST_F(ConsumerMembershipTest, WithNothingToReadTheNextAnswerIsWaitedFor) {
  const auto member = make();
  member->subscribe({{"a"}, std::nullopt});
  answers(1, partitions_by_topic());
  answers(2, of("a", {0, 1}));
  EXPECT_FALSE(step(*member));
  const auto nothing = member->next_step();
  ASSERT_TRUE(nothing.ok() && *nothing);
  EXPECT_EQ((*nothing)->partitions.size(), 0u);
  member->step_made(**nothing);
  EXPECT_FALSE(member->is_settled());
  expect_step(*member, kind::assign, named("a", {0, 1}));
  EXPECT_TRUE(member->is_settled());
  EXPECT_EQ(member->identity().generation, 2);
}

TEST_F(ConsumerMembershipTest, WhoHasNothingAsksSoonerForAWhile) {
  const auto member = make();
  member->subscribe({{"a"}, std::nullopt});
  answers(1, partitions_by_topic());
  EXPECT_FALSE(step(*member));
  expect_step(*member, kind::assign, {});
  EXPECT_EQ(broker_.beats.size(), 2u);
  for (std::size_t i = 3; i <= 7; ++i) {
    EXPECT_FALSE(member->is_settled());
    engine_.advance(milliseconds(1'000));
    EXPECT_EQ(broker_.beats.size(), i);
  }
  EXPECT_TRUE(member->is_settled());
  engine_.advance(milliseconds(4'999));
  EXPECT_EQ(broker_.beats.size(), 7u);
  engine_.advance(milliseconds(1));
  EXPECT_EQ(broker_.beats.size(), 8u);
}

TEST_F(ConsumerMembershipTest, AnotherSubscriptionIsToldAtOnceAndSettlesWhenAnswered) {
  const auto member = settled();
  answers(2, of("b", {3}));
  member->subscribe({{"b"}, std::nullopt});
  EXPECT_FALSE(member->is_settled());
  expect_step(*member, kind::revoke, {});
  expect_step(*member, kind::assign, named("b", {3}));
  EXPECT_TRUE(member->is_settled());
  EXPECT_EQ(broker_.beats[0].topics, std::vector<std::string>{"b"});
  EXPECT_EQ(broker_.beats[0].epoch, 1);
}

TEST_F(ConsumerMembershipTest, ASubscriptionThatComesWithAHeartbeatUnderWayFollowsIt) {
  const auto member = settled();
  engine_.advance(milliseconds(5'000));
  member->subscribe({{"a", "b"}, std::nullopt});
  member->subscribe({{"b"}, std::nullopt});
  EXPECT_EQ(broker_.beats.size(), 2u);
  EXPECT_EQ(broker_.beats[1].topics, (std::vector<std::string>{"a", "b"}));
  engine_.run();
  ASSERT_EQ(broker_.beats.size(), 3u);
  EXPECT_EQ(broker_.beats[2].topics, std::vector<std::string>{"b"});
  EXPECT_TRUE(member->is_settled());
}

TEST_F(ConsumerMembershipTest, AnExpressionIsTheBrokersToMatch) {
  const auto member = make();
  member->subscribe({{}, "b.*"});
  answers(1, of("b", {0}));
  EXPECT_FALSE(step(*member));
  EXPECT_EQ(broker_.beats[0].topic_expression, "b.*");
  EXPECT_EQ(broker_.beats[0].topics, std::vector<std::string>());
  expect_step(*member, kind::assign, named("b", {0}));
  member->subscribe({{"a"}, std::nullopt});
  engine_.run();
  EXPECT_EQ(broker_.beats.back().topic_expression, "");  // no longer
  answers(error_code::timed_out);                        // nor when everything is told again
  engine_.advance(milliseconds(5'000));
  engine_.advance(milliseconds(options_.retry_backoff_ms));
  EXPECT_EQ(broker_.beats.back().topics, std::vector<std::string>{"a"});
  EXPECT_EQ(broker_.beats.back().topic_expression, "");
}

TEST_F(ConsumerMembershipTest, TopicsThatAreNotKnownYetAreLookedUpAgain) {
  const auto member = settled();
  partitions_by_topic both = of("a", {0, 1});
  both[uuid::reserved(3)] = {0};
  answers(2, both);
  member->subscribe({{"a", "c"}, std::nullopt});
  engine_.run();
  EXPECT_FALSE(step(*member));  // what is known has not changed
  broker_.add_topic("c", 1);
  engine_.advance(milliseconds(options_.retry_backoff_ms));
  expect_step(*member, kind::assign,
              {{"a", partition_id_t(0)}, {"a", partition_id_t(1)}, {"c", partition_id_t(0)}});
}

TEST_F(ConsumerMembershipTest, ACoordinatorThatIsNotThereIsAskedAgainWithEverything) {
  const auto member = settled();
  for (const error_code code :
       {error_code::not_coordinator, error_code::timed_out, error_code::coordinator_loading}) {
    answers(code);
  }
  engine_.advance(milliseconds(5'000));
  for (int i = 0; i < 3; ++i) engine_.advance(milliseconds(options_.retry_backoff_ms));
  ASSERT_EQ(broker_.beats.size(), 4u);
  EXPECT_EQ(broker_.beats[3].epoch, 1);
  EXPECT_EQ(broker_.beats[3].owned, of("a", {0, 1}));
  EXPECT_EQ(broker_.beats[3].topics, std::vector<std::string>{"a"});
  EXPECT_EQ(broker_.beats[3].rebalance_timeout_ms, options_.max_poll_interval_ms);
  EXPECT_TRUE(member->is_settled());
}

TEST_F(ConsumerMembershipTest, WhoIsThrownOutDropsWhatItHeldAndJoinsAnewUnderItsName) {
  for (const error_code code : {broker::consumer_failures::fenced_member_epoch,
                                error_code::unknown_member_id, error_code::group_id_not_found}) {
    const auto member = settled();
    const std::string id = member->identity().member;
    answers(code);
    engine_.advance(milliseconds(5'000));
    EXPECT_TRUE(member->is_lost());
    EXPECT_EQ(member->identity().generation, -1);
    EXPECT_EQ(broker_.beats.size(), 1u);
    expect_step(*member, kind::lose, {});
    EXPECT_FALSE(member->is_lost());
    answers(7, of("a", {1}));
    EXPECT_FALSE(step(*member));
    ASSERT_EQ(broker_.beats.size(), 2u);
    EXPECT_EQ(broker_.beats[1].epoch, 0);
    EXPECT_EQ(broker_.beats[1].member, id);
    EXPECT_EQ(broker_.beats[1].owned, partitions_by_topic());
    expect_step(*member, kind::assign, named("a", {1}));
    EXPECT_EQ(member->identity().generation, 7);
    member->leave([] {});
    engine_.run();
  }
}

TEST_F(ConsumerMembershipTest, WhatNoRetryMendsIsToldAndThenTriedAnew) {
  for (const error_code code :
       {error_code::group_max_size_reached, error_code::fenced_instance_id,
        broker::consumer_failures::unreleased_instance_id,
        broker::consumer_failures::unsupported_assignor, error_code::group_id_not_found,
        error_code::invalid_group_id, error_code::internal}) {
    broker_.beats.clear();
    const auto member = make();
    member->subscribe({{"a"}, std::nullopt});
    answers(code);
    EXPECT_FALSE(step(*member));
    expect_failure(*member, code);
    EXPECT_EQ(broker_.beats.size(), 1u);
    answers(1, of("a", {0}));
    EXPECT_FALSE(step(*member));
    expect_step(*member, kind::assign, named("a", {0}));
  }
}

TEST_F(ConsumerMembershipTest, ABrokerWithoutTheProtocolIsNamedAsThat) {
  const auto member = make();
  member->subscribe({{"a"}, std::nullopt});
  answers(error_code::unsupported);
  EXPECT_FALSE(step(*member));
  expect_step(*member, kind::lose, {});
  const auto failed = member->next_step();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.code(), error_code::unsupported);
  EXPECT_NE(failed.failure().message.find("group_protocol='classic'"), std::string::npos);
}

TEST_F(ConsumerMembershipTest, ABadExpressionIsTheCallersMistake) {
  const auto member = make();
  member->subscribe({{}, "("});
  answers(broker::consumer_failures::invalid_regular_expression);
  EXPECT_FALSE(step(*member));
  expect_failure(*member, error_code::invalid_argument);
}

TEST_F(ConsumerMembershipTest, WhoDoesNotPollLeavesAndLosesItsPartitions) {
  options_.max_poll_interval_ms = 12'000;
  const auto member = settled();
  engine_.advance(milliseconds(5'000));
  member->touch();
  engine_.advance(milliseconds(5'000));
  engine_.advance(milliseconds(5'000));
  engine_.advance(milliseconds(5'000));
  EXPECT_FALSE(member->is_lost());
  engine_.advance(milliseconds(5'000));
  EXPECT_TRUE(member->is_lost());
  EXPECT_EQ(broker_.beats.back().epoch, broker::leaving_epoch);
  const std::size_t count = broker_.beats.size();
  engine_.advance(milliseconds(60'000));
  EXPECT_EQ(broker_.beats.size(), count);
  expect_step(*member, kind::lose, {});
  answers(9, of("a", {0}));
  EXPECT_FALSE(step(*member));
  EXPECT_EQ(broker_.beats.back().epoch, 0);
}

TEST_F(ConsumerMembershipTest, LeavingIsForGoodOrOfAStaticMemberForAWhile) {
  for (const bool is_static : {false, true}) {
    if (is_static) options_.group_instance_id = "one";
    const auto member = settled();
    bool told = false;
    member->leave([&] { told = true; });
    EXPECT_FALSE(told);
    engine_.run();
    EXPECT_TRUE(told);
    ASSERT_EQ(broker_.beats.size(), 1u);
    EXPECT_EQ(broker_.beats[0].epoch,
              is_static ? broker::leaving_for_a_while_epoch : broker::leaving_epoch);
    EXPECT_EQ(broker_.beats[0].instance, options_.group_instance_id);
    EXPECT_FALSE(step(*member));
    engine_.advance(milliseconds(60'000));
    EXPECT_EQ(broker_.beats.size(), 1u);
    bool again = false;
    member->leave([&] { again = true; });  // nothing to leave
    EXPECT_TRUE(again);
  }
}

TEST_F(ConsumerMembershipTest, AnAnswerThatComesAfterTheLeaveChangesNothing) {
  const auto member = make();
  member->subscribe({{"a"}, std::nullopt});
  answers(1, of("a", {0}));
  static_cast<void>(member->next_step());
  member->leave([] {});
  engine_.run();
  ASSERT_EQ(broker_.beats.size(), 2u);
  EXPECT_EQ(broker_.beats[1].epoch, broker::leaving_epoch);
  EXPECT_FALSE(step(*member));
  EXPECT_FALSE(member->is_settled());
}

TEST_F(ConsumerMembershipTest, ACommitWithAStaleEpochIsSentAgainWithTheNewerOne) {
  const auto member = settled();
  const error stale{broker::consumer_failures::stale_member_epoch, "scripted"};
  broker_.commit_answers.push_back(stale);
  broker_.commit_answers.push_back(broker::partition_failures{
      {{"a", partition_id_t(0)}, stale}, {{"a", partition_id_t(1)}, std::nullopt}});
  std::optional<status> outcome;
  const auto commit = [&] {
    outcome.reset();
    group_commit::start(over_, member, options_,
                        {{{"a", partition_id_t(0)}, {offset_t(5), no_leader_epoch, ""}}},
                        [&](const partition_offsets&, status how) { outcome = std::move(how); });
  };
  commit();
  engine_.run();
  EXPECT_FALSE(outcome);
  answers(4);
  engine_.advance(milliseconds(5'000));  // the commit comes first, then the heartbeat
  EXPECT_FALSE(outcome);
  engine_.advance(milliseconds(options_.retry_backoff_ms));
  ASSERT_TRUE(outcome && outcome->ok());
  ASSERT_EQ(broker_.commits.size(), 3u);
  EXPECT_EQ(broker_.commits.front().from.generation, 1);
  EXPECT_EQ(broker_.commits.back().from.generation, 4);
  EXPECT_EQ(broker_.commits.back().from.member, member->identity().member);

  // Not for ever, and not for who is no member any more.
  options_.default_api_timeout_ms = 300;
  for (int i = 0; i < 10; ++i) broker_.commit_answers.push_back(stale);
  commit();
  for (int i = 0; i < 10; ++i) engine_.advance(milliseconds(options_.retry_backoff_ms));
  ASSERT_TRUE(outcome && !outcome->ok());
  EXPECT_EQ(outcome->code(), error_code::illegal_generation);
  member->leave([] {});
  commit();
  engine_.run();
  ASSERT_TRUE(outcome && !outcome->ok());
}

}  // namespace
}  // namespace ringlog::client
