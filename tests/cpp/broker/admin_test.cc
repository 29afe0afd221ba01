// Topics, configs and groups through the facade of a broker on a simulated computer.

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/broker_machine.h"
#include "random_seed.h"

namespace ringlog::broker {
namespace {

using strings = std::vector<std::string>;

class admin_test : public testing::Test {
 protected:
  admin_test() : computer(test_seed()) { EXPECT_TRUE(computer.start().ok()); }

  result<topic_description> ensure(const std::string& name) {
    return computer.wait_for<topic_description>(
        [&](auto done) { computer.facade().ensure_topic(name, std::move(done)); });
  }
  result<std::int32_t> grow(const std::string& name, std::int32_t count) {
    return computer.wait_for<std::int32_t>([&](auto done) {
      computer.facade().create_partitions(name, count, false, std::move(done));
    });
  }
  config_entry config(const config_resource& resource, const std::string& name) {
    const auto entries = computer.facade().describe_configs(resource).value();
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const config_entry& entry) { return entry.name == name; });
    EXPECT_NE(found, entries.end()) << name;
    return found == entries.end() ? config_entry{} : *found;
  }
  static config_resource topic(const std::string& name) { return {resource_type::topic, name}; }
  static config_resource broker_named(const std::string& name) {
    return {resource_type::broker, name};
  }

  broker_machine computer;
};

TEST_F(admin_test, clients_that_make_the_same_topic_at_once_all_get_it) {
  std::vector<uuid> got;
  for (int client = 0; client < 2; ++client) {  // nobody waits for these two
    computer.facade().ensure_topic("orders", [&got](const result<topic_description>& made) {
      ASSERT_TRUE(made.ok()) << made.failure().message;
      got.push_back(made->id);
    });
  }
  const auto last = ensure("orders");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(got, std::vector<uuid>(2, last->id));
}

TEST_F(admin_test, topic_is_made_and_stays) {
  const auto made = computer.create("orders", 3, {{"retention.ms", "1000"}});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->partitions, 3);
  EXPECT_EQ(computer.create("orders").code(), error_code::topic_already_exists);
  const std::uint64_t version = computer.facade().metadata_version();
  ASSERT_TRUE(computer.create("a").ok());
  EXPECT_GT(computer.facade().metadata_version(), version);
  EXPECT_EQ(computer.facade().list_topics().size(), 2U);

  ASSERT_TRUE(computer.restart().ok());
  const auto found = computer.facade().find_topic("orders");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, made->id);
  EXPECT_EQ(found->partitions.size(), 3U);
  EXPECT_EQ(found->partitions[2].leader, node_id_t(1));
  EXPECT_EQ(computer.facade().find_topic(made->id)->name, "orders");
  EXPECT_EQ(config(topic("orders"), "retention.ms").value, "1000");
  EXPECT_FALSE(computer.facade().find_topic("none").has_value());
}

TEST_F(admin_test, bad_topics_are_refused_in_kafkas_words) {
  const auto refused = [&](new_topic asked) {
    return std::move(computer.create(std::move(asked)).failure());
  };
  new_topic asked;
  asked.name = "a b";
  EXPECT_EQ(refused(asked).code, error_code::invalid_topic);
  asked.name = "__cluster_metadata";
  EXPECT_EQ(refused(asked).code, error_code::invalid_topic);
  asked.name = "t";
  asked.partitions = 0;
  EXPECT_EQ(refused(asked).message,
            "Number of partitions was set to an invalid non-positive value.");
  asked.partitions = 1;
  asked.replication_factor = 3;
  EXPECT_EQ(refused(asked).message,
            "Unable to replicate the partition 3 time(s): The target replication factor of 3 "
            "cannot be reached because only 1 broker(s) are registered.");
  asked.replication_factor = 0;
  EXPECT_EQ(refused(asked).code, error_code::invalid_replication_factor);
  asked.replication_factor = 1;
  asked.configs = {{"retention.ms", "soon"}};
  EXPECT_EQ(refused(asked).code, error_code::invalid_config);
  asked.configs = {{"retention.hours", "1"}};
  EXPECT_TRUE(refused(asked).message.starts_with("Unknown topic config name: retention.hours"));
  asked.configs = {};
  asked.assignment = {{node_id_t(1)}, {node_id_t(2)}};
  asked.partitions = -1;
  asked.replication_factor = -1;
  EXPECT_EQ(refused(asked).code, error_code::invalid_replica_assignment);
  EXPECT_TRUE(computer.facade().list_topics().empty());

  ASSERT_TRUE(computer.create("a.b").ok());
  asked = {};
  asked.name = "a_b";
  EXPECT_EQ(refused(asked).message, "Topic 'a_b' collides with existing topic: a.b");
}

TEST_F(admin_test, requests_for_too_many_partitions_are_refused_in_kafkas_words) {
  constexpr std::string_view too_many = "Excessively large number of partitions per request.";
  constexpr std::string_view too_much = "Unable to perform excessively large batch operation.";
  EXPECT_EQ(computer.create("t", 10'001).failure().message, too_many);
  EXPECT_EQ(computer.create("a b", 10'001).code(), error_code::policy_violation);
  EXPECT_EQ(computer.create("t", 10'000).failure().message, too_much);
  const config_map one_config{{"retention.ms", "1000"}};
  EXPECT_EQ(computer.create("t", 9'999, one_config).failure().message, too_much);
  EXPECT_TRUE(computer.facade().list_topics().empty());
  ASSERT_TRUE(computer.create("t", 9'998, one_config).ok());
  EXPECT_EQ(grow("t", 19'999).failure().message, too_many);
  EXPECT_EQ(grow("t", INT32_MAX).code(), error_code::policy_violation);
  EXPECT_EQ(*grow("t", 19'998), 19'998);
  EXPECT_EQ(computer.facade().find_topic("t")->partitions.size(), 19'998U);
}

TEST_F(admin_test, validation_alone_makes_nothing) {
  new_topic asked;
  asked.name = "t";
  asked.configs = {{"cleanup.policy", "compact"}};
  const auto would_be = computer.create(asked, true);
  ASSERT_TRUE(would_be.ok());
  EXPECT_EQ(would_be->partitions, 2);  // num.partitions
  EXPECT_EQ(would_be->warnings.size(), 1U);
  EXPECT_FALSE(computer.facade().find_topic("t").has_value());
}

TEST_F(admin_test, topics_are_made_when_first_named_if_that_is_allowed) {
  EXPECT_EQ(ensure("t")->partitions.size(), 2U);
  EXPECT_EQ(ensure("bad name").code(), error_code::invalid_topic);
  ASSERT_TRUE(computer.stop().ok());
  computer.settings["auto.create.topics.enable"] = "false";
  ASSERT_TRUE(computer.start().ok());
  EXPECT_TRUE(ensure("t").ok());
  EXPECT_EQ(ensure("u").code(), error_code::unknown_topic_or_partition);
}

TEST_F(admin_test, deleted_name_can_be_used_at_once) {
  ASSERT_TRUE(computer.create("t", 2).ok());
  ASSERT_TRUE(computer.produce(at("t"), strings{"old"}).ok());
  for (int i = 0; i < 3; ++i) {
    bool deleted = false;
    const uuid before = computer.facade().find_topic("t")->id;
    computer.facade().delete_topic("t", [&](const result<uuid>& done) { deleted = done.ok(); });
    // Not waited for: the new topic waits for the directories of the old one by itself.
    auto made = computer.create("t", 2);
    while (!made.ok() && made.code() == error_code::topic_already_exists) {
      computer.world.run_for(milliseconds(1));
      made = computer.create("t", 2);
    }
    ASSERT_TRUE(made.ok());
    EXPECT_TRUE(deleted);
    EXPECT_NE(made->id, before);
    EXPECT_TRUE(computer.values(at("t")).empty());
    ASSERT_TRUE(computer.produce(at("t"), strings{"new"}).ok());
  }
  EXPECT_EQ(computer.delete_topic("none").code(), error_code::unknown_topic_or_partition);
  ASSERT_TRUE(computer.restart().ok());
  EXPECT_EQ(computer.values(at("t")), strings{"new"});
}

TEST_F(admin_test, partitions_are_added) {
  ASSERT_TRUE(computer.create("t", 2).ok());
  EXPECT_EQ(grow("t", 2).failure().message, "Topic already has 2 partition(s).");
  EXPECT_EQ(grow("t", 1).failure().message,
            "The topic t currently has 2 partition(s); 1 would not be an increase.");
  EXPECT_EQ(grow("none", 3).code(), error_code::unknown_topic_or_partition);
  EXPECT_EQ(grow("t", 4).value(), 4);
  EXPECT_TRUE(computer.produce(at("t", 3), strings{"a"}).ok());
}

TEST_F(admin_test, configs_say_where_they_come_from) {
  ASSERT_TRUE(computer.create("t", 1, {{"retention.ms", "5"}}).ok());
  const config_entry own = config(topic("t"), "retention.ms");
  EXPECT_EQ(own.value, "5");
  EXPECT_EQ(own.source, config_source::topic_config);
  EXPECT_EQ(own.synonyms.size(), 1U);  // log.retention.ms has no default
  EXPECT_EQ(config(topic("t"), "segment.ms").value, "604800000");
  EXPECT_EQ(config(topic("t"), "segment.ms").source, config_source::default_config);
  EXPECT_EQ(config(broker_named("1"), "num.partitions").source,
            config_source::static_broker_config);
  EXPECT_TRUE(config(broker_named("1"), "num.partitions").read_only);
  EXPECT_FALSE(config(broker_named("1"), "log.retention.ms").read_only);
  EXPECT_EQ(computer.facade().describe_configs(topic("none")).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.facade().describe_configs(broker_named("2")).code(),
            error_code::invalid_argument);

  // Broker defaults, changed while running, reach topics that do not say themselves.
  ASSERT_TRUE(computer.alter(broker_named(""), {{"log.segment.bytes", "2000000"}}).ok());
  EXPECT_EQ(config(topic("t"), "segment.bytes").value, "2000000");
  EXPECT_EQ(config(topic("t"), "segment.bytes").source,
            config_source::dynamic_default_broker_config);
  ASSERT_TRUE(computer.alter(broker_named("1"), {{"log.segment.bytes", "3000000"}}).ok());
  EXPECT_EQ(config(topic("t"), "segment.bytes").value, "3000000");
  EXPECT_EQ(config(topic("t"), "segment.bytes").synonyms.size(), 3U);
  ASSERT_TRUE(computer.restart().ok());
  EXPECT_EQ(config(topic("t"), "segment.bytes").value, "3000000");
}

TEST_F(admin_test, configs_are_altered_one_by_one) {
  ASSERT_TRUE(computer.create("t", 1, {{"retention.ms", "5"}}).ok());
  ASSERT_TRUE(computer.produce(at("t"), strings{std::string(500, 'x')}).ok());
  ASSERT_TRUE(computer
                  .alter(topic("t"), {{"max.message.bytes", "100"},
                                      {"retention.ms", std::nullopt, alter_operation::remove},
                                      {"cleanup.policy", "compact", alter_operation::append}})
                  .ok());
  EXPECT_EQ(config(topic("t"), "retention.ms").source, config_source::default_config);
  EXPECT_EQ(config(topic("t"), "cleanup.policy").value, "delete,compact");
  ASSERT_TRUE(
      computer.alter(topic("t"), {{"cleanup.policy", "delete", alter_operation::subtract}}).ok());
  EXPECT_EQ(config(topic("t"), "cleanup.policy").value, "compact");
  // Both act on the open log.
  EXPECT_EQ(computer.produce(at("t"), strings{"no key"}).code(), error_code::invalid_record);
  ASSERT_TRUE(computer.alter(topic("t"), {{"cleanup.policy", "delete"}}).ok());
  EXPECT_EQ(computer.produce(at("t"), strings{std::string(500, 'x')}).code(),
            error_code::message_too_large);

  EXPECT_EQ(computer.alter(topic("t"), {{"retention.ms", "x"}}).code(), error_code::invalid_config);
  EXPECT_EQ(computer.alter(topic("t"), {{"unheard.of", "1"}}).code(), error_code::invalid_config);
  EXPECT_EQ(computer.alter(topic("t"), {{"retention.ms", "1", alter_operation::append}}).code(),
            error_code::invalid_config);
  EXPECT_EQ(computer.alter(topic("t"), {{"retention.ms", "1"}, {"retention.ms", "2"}}).code(),
            error_code::invalid_argument);
  EXPECT_EQ(computer.alter(topic("none"), {{"retention.ms", "1"}}).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.alter(broker_named("1"), {{"num.partitions", "7"}}).code(),
            error_code::invalid_argument);
  EXPECT_EQ(computer.alter(topic("t"), {{"remote.storage.enable", "true"}}).code(),
            error_code::invalid_config);
}

TEST_F(admin_test, group_lives_in_consumer_offsets) {
  ASSERT_TRUE(computer.create("t", 1).ok());
  EXPECT_EQ(computer.committed("g", at("t")), std::nullopt);
  EXPECT_FALSE(
      computer.facade().find_topic("__consumer_offsets").has_value());  // reading makes none

  join_group_request request;
  request.group = "g";
  request.client_id = "c";
  request.protocol_type = "consumer";
  request.protocols = {{"range", {}}};
  const auto joined = computer.wait_for<join_group_answer>(
      [&](auto done) { computer.facade().join_group(request, std::move(done)); });
  ASSERT_TRUE(joined.ok()) << joined.failure().message;
  const auto synced = computer.wait_for<sync_group_answer>([&](auto done) {
    computer.facade().sync_group({"g",
                                  1,
                                  joined->member,
                                  std::nullopt,
                                  std::nullopt,
                                  std::nullopt,
                                  {{joined->member, to_buffer(as_bytes("all"))}}},
                                 std::move(done));
  });
  ASSERT_TRUE(synced.ok());
  offset_commit_request commit;
  commit.from = {"g", 1, joined->member, std::nullopt};
  commit.offsets = {{at("t"), {offset_t(7), no_leader_epoch, "m"}},
                    {at("none"), {offset_t(1), no_leader_epoch, ""}},
                    {at("t"), {offset_t(1), no_leader_epoch, std::string(5'000, 'm')}}};
  const auto committed = computer.wait_for<partition_failures>(
      [&](auto done) { computer.facade().commit_offsets(commit, std::move(done)); });
  ASSERT_TRUE(committed.ok());
  EXPECT_FALSE(committed->at(0).second);
  EXPECT_EQ(committed->at(1).second->code, error_code::unknown_topic_or_partition);
  EXPECT_EQ(committed->at(2).second->code, error_code::offset_metadata_too_large);

  const auto internal = computer.facade().find_topic("__consumer_offsets");
  ASSERT_TRUE(internal.has_value());
  EXPECT_TRUE(internal->internal);
  EXPECT_EQ(internal->partitions.size(), 50U);
  EXPECT_EQ(config(topic("__consumer_offsets"), "cleanup.policy").value, "compact");

  computer.crash();
  ASSERT_TRUE(computer.start().ok());
  EXPECT_EQ(computer.committed("g", at("t")), 7);
  const auto groups = computer.wait_for<std::vector<listed_group>>(
      [&](auto done) { computer.facade().list_groups(std::move(done)); });
  ASSERT_EQ(groups->size(), 1U);
  EXPECT_EQ(groups->at(0).state, "Stable");
  const auto beat = computer.wait_for<std::monostate>([&](auto done) {
    computer.facade().heartbeat({"g", 1, joined->member, std::nullopt}, std::move(done));
  });
  EXPECT_TRUE(beat.ok());
}

TEST_F(admin_test, deleted_topic_takes_its_committed_offsets) {
  ASSERT_TRUE(computer.create("t", 1).ok());
  ASSERT_TRUE(computer.commit("g", at("t"), 3).ok());
  ASSERT_TRUE(computer.delete_topic("t").ok());
  ASSERT_TRUE(computer.create("t", 1).ok());
  EXPECT_EQ(computer.committed("g", at("t")), std::nullopt);
  ASSERT_TRUE(computer.restart().ok());
  EXPECT_EQ(computer.committed("g", at("t")), std::nullopt);
}

TEST_F(admin_test, groups_go_with_their_topic_and_it_does_not_grow) {
  ASSERT_TRUE(computer.create("t", 1).ok());
  ASSERT_TRUE(computer.commit("g", at("t"), 3).ok());
  EXPECT_EQ(grow("__consumer_offsets", 60).code(), error_code::invalid_topic);
  ASSERT_TRUE(computer.delete_topic("__consumer_offsets").ok());
  EXPECT_EQ(computer.committed("g", at("t")), std::nullopt);
  ASSERT_TRUE(computer.commit("g", at("t"), 4).ok());  // makes the topic anew
  EXPECT_EQ(computer.committed("g", at("t")), 4);
}

TEST_F(admin_test, bad_group_requests_are_refused) {
  const auto join = [&](const std::string& group, std::int64_t session_timeout_ms) {
    join_group_request request;
    request.group = group;
    request.protocol_type = "consumer";
    request.protocols = {{"range", {}}};
    request.session_timeout_ms = session_timeout_ms;
    return computer
        .wait_for<join_group_answer>(
            [&](auto done) { computer.facade().join_group(request, std::move(done)); })
        .code();
  };
  EXPECT_EQ(join("", 10'000), error_code::invalid_group_id);
  EXPECT_EQ(join("g", 100), error_code::invalid_session_timeout);
  EXPECT_EQ(join("g", 10'000'000), error_code::invalid_session_timeout);
  const auto described = computer.wait_for<described_group>(
      [&](auto done) { computer.facade().describe_group("g", std::move(done)); });
  EXPECT_EQ(described.code(), error_code::group_id_not_found);
}

TEST_F(admin_test, closing_answers_who_waits) {
  join_group_request request;
  request.group = "g";
  request.protocol_type = "consumer";
  request.protocols = {{"range", {}}};
  ASSERT_TRUE(computer.stop().ok());
  computer.settings["group.initial.rebalance.delay.ms"] = "100000";
  ASSERT_TRUE(computer.start().ok());
  std::optional<error_code> answer;
  computer.facade().join_group(request, [&](const result<join_group_answer>& joined) {
    answer = joined.ok() ? error_code::internal : joined.code();
  });
  computer.world.run_for(milliseconds(1'000));
  EXPECT_FALSE(answer.has_value());
  computer.facade().close();
  EXPECT_EQ(answer, error_code::closed);
  EXPECT_EQ(computer.produce(at("t"), strings{"a"}).code(), error_code::closed);
}

TEST(broker_configs_test, wrong_static_setting_is_told) {
  broker_machine computer(1);
  computer.settings["num.partitions"] = "many";
  EXPECT_EQ(computer.start().code(), error_code::invalid_config);
}

}  // namespace
}  // namespace ringlog::broker
