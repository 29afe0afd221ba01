// What records do to an image, on records made here.

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "metadata/image_builder.h"
#include "metadata/image_records.h"

namespace ringlog::metadata {
namespace {

template <typename... Records>
image_ptr apply(const image& base, Records... records) {
  image_builder builder(base);
  const auto apply_one = [&](auto record) {
    const status applied = builder.apply(protocol::metadata_record{std::move(record), 0});
    EXPECT_TRUE(applied.ok()) << applied.failure().message;
  };
  (apply_one(std::move(records)), ...);
  return std::move(builder).finish();
}

template <typename Record>
status try_apply(const image& base, Record record) {
  image_builder builder(base);
  return builder.apply(protocol::metadata_record{std::move(record), 0});
}

uuid id_of(std::uint8_t number) {
  uuid id;
  id.bytes[0] = std::byte{number};
  return id;
}

protocol::topic_record topic(std::string name, std::uint8_t number) {
  protocol::topic_record record;
  record.name = std::move(name);
  record.topic_id = id_of(number);
  return record;
}

protocol::partition_record partition(std::uint8_t topic_number, std::int32_t number) {
  protocol::partition_record record;
  record.topic_id = id_of(topic_number);
  record.partition_id = number;
  record.replicas = record.isr = {1};
  record.leader = 1;
  record.leader_epoch = record.partition_epoch = 0;
  return record;
}

protocol::partition_change_record leader_change(std::uint8_t topic_number, std::int32_t leader) {
  protocol::partition_change_record record;
  record.topic_id = id_of(topic_number);
  record.partition_id = 0;
  record.leader = leader;
  return record;
}

protocol::config_record config(std::string name, std::optional<std::string> value) {
  protocol::config_record record;
  record.resource_type = 2;
  record.resource_name = "a";
  record.name = std::move(name);
  record.value = std::move(value);
  return record;
}

protocol::remove_topic_record removal(std::uint8_t topic_number) {
  protocol::remove_topic_record record;
  record.topic_id = id_of(topic_number);
  return record;
}

const config_resource topic_a{config_resource_type::topic, "a"};

TEST(Image, TopicsAreFoundByNameAndId) {
  const image_ptr made = apply(image{}, topic("a", 1), partition(1, 1), partition(1, 0));
  ASSERT_NE(made->find_topic("a"), nullptr);
  EXPECT_EQ(made->find_topic("a"), made->find_topic(id_of(1)));
  EXPECT_EQ(made->find_topic("a")->partitions.size(), 2u);
  EXPECT_EQ(made->find_topic("b"), nullptr);
  EXPECT_EQ(made->find_topic(id_of(2)), nullptr);
  EXPECT_EQ(made->find_topic("a")->find_partition(partition_id_t(2)), nullptr);
  EXPECT_EQ(made->find_topic("a")->find_partition(partition_id_t(-1)), nullptr);
}

TEST(Image, AnEarlierImageStaysAsItWas) {
  const image_ptr first = apply(image{}, topic("a", 1), partition(1, 0), config("k", "v"));
  const image_ptr second =
      apply(*first, leader_change(1, 1), config("k", "w"), topic("b", 2), partition(2, 0));
  EXPECT_EQ(first->find_topic("a")->partitions[0]->leader_epoch, leader_epoch_t(0));
  EXPECT_EQ(second->find_topic("a")->partitions[0]->leader_epoch, leader_epoch_t(1));
  EXPECT_EQ(first->configs_of(topic_a).at("k"), "v");
  EXPECT_EQ(second->configs_of(topic_a).at("k"), "w");
  EXPECT_EQ(first->find_topic("b"), nullptr);
}

TEST(Image, UnchangedPartsAreShared) {
  const image_ptr first = apply(image{}, topic("a", 1), partition(1, 0), config("k", "v"));
  const image_ptr second = apply(*first, topic("b", 2), partition(2, 0));
  EXPECT_EQ(first->find_topic("a"), second->find_topic("a"));
  EXPECT_TRUE(first->configs.is_shared_with(second->configs));
  EXPECT_FALSE(first->topics.is_shared_with(second->topics));
}

TEST(Image, ManyTopicsComeAndGo) {
  image_ptr before = std::make_shared<image>();
  for (std::uint8_t i = 0; i < 200; ++i) {
    before = apply(*before, topic(fmt::format("topic-{}", i), i), partition(i, 0));
  }
  const image_ptr after = apply(*before, removal(7), removal(100), leader_change(8, 1),
                                topic("topic-7", 250), partition(250, 0));
  std::vector<std::string> names;
  after->topics->for_each([&](const topic_ptr& topic) { names.push_back(topic->name); });
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(names.size(), 199u);
  EXPECT_EQ(before->topics->size(), 200u);
  EXPECT_EQ(after->topics->size(), 199u);
  EXPECT_EQ(after->find_topic("topic-100"), nullptr);
  EXPECT_EQ(after->find_topic("topic-7")->id, id_of(250));
}

TEST(Image, ALeaderRaisesTheEpochAndNoLeaderToo) {
  image_ptr now = apply(image{}, topic("a", 1), partition(1, 0), leader_change(1, -1));
  EXPECT_EQ(now->find_topic("a")->partitions[0]->leader, node_id_t(-1));
  EXPECT_EQ(now->find_topic("a")->partitions[0]->leader_epoch, leader_epoch_t(1));
  protocol::partition_change_record no_leader_change = leader_change(1, -2);
  no_leader_change.isr = std::vector<std::int32_t>{1, 2};
  now = apply(*now, no_leader_change);
  EXPECT_EQ(now->find_topic("a")->partitions[0]->leader_epoch, leader_epoch_t(1));
  EXPECT_EQ(now->find_topic("a")->partitions[0]->partition_epoch, 2);
  EXPECT_EQ(now->find_topic("a")->partitions[0]->in_sync_replicas.size(), 2u);
}

TEST(Image, ARemovedTopicTakesItsConfigsAlong) {
  const image_ptr now = apply(image{}, topic("a", 1), partition(1, 0), config("k", "v"));
  const image_ptr after = apply(*now, removal(1));
  EXPECT_EQ(after->find_topic("a"), nullptr);
  EXPECT_EQ(after->find_topic(id_of(1)), nullptr);
  EXPECT_TRUE(after->configs_of(topic_a).empty());
  const image_ptr again = apply(*after, topic("a", 2), partition(2, 0));
  EXPECT_EQ(again->find_topic("a")->id, id_of(2));
}

TEST(Image, AConfigWithoutValueIsRemoved) {
  const image_ptr now = apply(image{}, topic("a", 1), config("k", "v"), config("k", std::nullopt));
  EXPECT_TRUE(now->configs->empty());
}

TEST(Image, RecordsThatContradictTheImageAreCorrupt) {
  const image_ptr now = apply(image{}, topic("a", 1), partition(1, 0));
  EXPECT_EQ(try_apply(*now, partition(2, 0)).code(), error_code::corrupt);
  EXPECT_EQ(try_apply(*now, partition(1, -1)).code(), error_code::corrupt);
  EXPECT_EQ(try_apply(*now, partition(1, 2'000'000'000)).code(), error_code::corrupt);
  auto change = leader_change(1, 1);
  change.partition_id = 1;
  EXPECT_EQ(try_apply(*now, change).code(), error_code::corrupt);
  EXPECT_EQ(try_apply(*now, protocol::fence_broker_record{}).code(), error_code::corrupt);
  EXPECT_EQ(try_apply(*now, protocol::end_transaction_record{}).code(), error_code::corrupt);
}

TEST(Transaction, TakesEffectAtItsEnd) {
  const image_ptr base = apply(image{}, topic("a", 1), partition(1, 0));
  const protocol::begin_transaction_record begin;
  const protocol::end_transaction_record end;
  const protocol::abort_transaction_record abort;
  EXPECT_EQ(apply(*base, begin, topic("b", 2), leader_change(1, 1))->find_topic("b"), nullptr);
  const image_ptr ended = apply(*base, begin, topic("b", 2), leader_change(1, 1), end);
  EXPECT_NE(ended->find_topic("b"), nullptr);
  EXPECT_EQ(ended->find_topic("a")->partitions[0]->leader_epoch, leader_epoch_t(1));
  const image_ptr aborted = apply(*base, begin, topic("b", 2), leader_change(1, 1),
                                  config("k", "v"), abort, topic("c", 3));
  EXPECT_EQ(aborted->find_topic("b"), nullptr);
  EXPECT_NE(aborted->find_topic("c"), nullptr);
  EXPECT_TRUE(aborted->configs->empty());
  EXPECT_EQ(aborted->find_topic("a")->partitions[0]->leader_epoch, leader_epoch_t(0));
}

TEST(Records, AreOfTheVersionsThatTheMetadataVersionCanRead) {
  const auto newest = record_versions::of(30);
  EXPECT_EQ(newest.register_broker, 4);
  EXPECT_EQ(newest.partition, 2);
  const auto of_3_9 = record_versions::of(21);
  EXPECT_EQ(of_3_9.register_broker, 3);
  EXPECT_EQ(of_3_9.partition, 1);
  EXPECT_EQ(record_versions::of(7).register_broker, 1);
  EXPECT_EQ(record_versions::of(7).partition, 0);
}

TEST(Records, MakeTheSameImageAgain) {
  protocol::unknown_metadata_message unknown{999, to_buffer(as_bytes("something"))};
  const image_ptr now =
      apply(image{}, topic("a", 1), partition(1, 0), partition(1, 1), config("k", "v"), unknown);
  image_builder builder{image{}};
  for (const auto& record : records_of(*now)) ASSERT_TRUE(builder.apply(record).ok());
  const image_ptr again = std::move(builder).finish();
  EXPECT_EQ(records_of(*again), records_of(*now));
  EXPECT_EQ(again->unknown_records->size(), 1u);
}

}  // namespace
}  // namespace ringlog::metadata
