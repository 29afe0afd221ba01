// The controller on a simulated computer: what it decides, when that is seen, what is there again
// after a close, a kill and a crash.

#include "metadata/controller.h"

#include <set>

#include "machine.h"
#include "metadata/image_records.h"
#include "metadata/quorum_state.h"
#include "metadata/snapshot.h"
#include "model/record_batch.h"
#include "random_seed.h"

namespace ringlog::metadata {
namespace {

const std::string log_directory = "/data";
const config_resource topic_a{config_resource_type::topic, "a"};

TEST(Controller, ANewDirectoryHasWhatKafkaNeeds) {
  machine computer(1);
  ASSERT_TRUE(computer.open().ok());
  const image_ptr now = computer.controller->published();
  EXPECT_EQ(now->feature_level("metadata.version"), 30);
  EXPECT_EQ(now->feature_level("group.version"), 1);
  EXPECT_EQ(now->features->size(), 2u);
  ASSERT_EQ(now->brokers->count(1), 1u);
  const auto& registration = now->brokers->at(1);
  EXPECT_TRUE(registration.fenced);
  EXPECT_EQ(registration.log_dirs, std::vector{computer.logs->identity().directory_id});
  EXPECT_EQ(registration.broker_epoch, now->next_offset.value() - 1);
  EXPECT_EQ(registration.broker_epoch, computer.logs->broker_epoch());

  const auto first = read_snapshot(
      computer.disk, metadata_directory(log_directory) + "/" + snapshot_id{}.file_name());
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_EQ((*first)->kraft_version->k_raft_version, 1);
  ASSERT_EQ((*first)->voters->voters.size(), 1u);
  EXPECT_EQ((*first)->voters->voters[0].voter_directory_id, computer.logs->identity().directory_id);
  EXPECT_TRUE((*first)->records.empty());

  const auto bootstrap = read_snapshot(computer.disk, bootstrap_path(log_directory));
  ASSERT_TRUE(bootstrap.ok() && bootstrap->has_value());
  EXPECT_EQ((*bootstrap)->records.size(), 2u);

  const auto quorum = read_quorum_state(computer.disk, quorum_state_path(log_directory));
  ASSERT_TRUE(quorum.ok() && quorum->has_value());
  EXPECT_EQ((*quorum)->epoch, leader_epoch_t(1));
  EXPECT_EQ((*quorum)->leader, node_id_t(1));
  EXPECT_EQ((*quorum)->data_version, 1);
}

// The election and the first records are two batches, and the power may fail between them.
TEST(Controller, ANewDirectoryIsOpenedAlsoWhenItsFirstStartWasBrokenOff) {
  machine computer(1);
  ASSERT_TRUE(computer.open().ok());
  computer.kill();
  auto file = computer.disk.open("/data/__cluster_metadata-0/00000000000000000000.log",
                                 io::open_mode::read_write);
  ASSERT_TRUE(file.ok());
  byte_buffer bytes((*file)->size().value());
  ASSERT_TRUE((*file)->read_at(0, bytes).ok());
  const auto election = model::parse_batch(bytes);
  ASSERT_TRUE(election.ok() && *election);
  ASSERT_LT((*election)->size_in_bytes(), bytes.size());
  ASSERT_TRUE((*file)->resize((*election)->size_in_bytes()).ok());
  for (int i = 0; i < 2; ++i) {
    const status opened = computer.open();
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    EXPECT_EQ(computer.controller->published()->feature_level("metadata.version"), 30);
    ASSERT_TRUE(computer.create_topic("topic" + std::to_string(i)).ok());
    computer.kill();
  }
}

TEST(Controller, EachOpenBeginsAnEpochAndKeepsTheRest) {
  machine computer(2);
  ASSERT_TRUE(computer.open().ok());
  ASSERT_TRUE(computer.create_topic("a", 3, {{"retention.ms", "1"}}).ok());
  const auto records = records_of(*computer.controller->published());
  const offset_t end = computer.controller->published()->next_offset;
  for (int open = 2; open < 5; ++open) {
    ASSERT_TRUE(computer.close().ok());
    ASSERT_TRUE(computer.open().ok());
    EXPECT_EQ(records_of(*computer.controller->published()), records);
    EXPECT_EQ(computer.controller->published()->epoch, leader_epoch_t(open));
    EXPECT_EQ(computer.controller->published()->next_offset, end + (open - 1));
    EXPECT_EQ(read_quorum_state(computer.disk, quorum_state_path(log_directory)).value()->epoch,
              leader_epoch_t(open));
  }
}

TEST(Controller, ATopicHasItsPartitionsAndConfigs) {
  machine computer(3);
  ASSERT_TRUE(computer.open().ok());
  const topic_ptr topic = computer.create_topic("a", 3, {{"retention.ms", "1"}}).value();
  EXPECT_EQ(topic->name, "a");
  EXPECT_EQ(topic, computer.controller->published()->find_topic("a"));
  ASSERT_EQ(topic->partitions.size(), 3u);
  for (const partition_ptr& partition : topic->partitions) {
    EXPECT_EQ(partition->leader, node_id_t(-1));
    EXPECT_EQ(partition->leader_epoch, leader_epoch_t(0));
    EXPECT_EQ(partition->replicas, std::vector{node_id_t(1)});
    EXPECT_EQ(partition->in_sync_replicas, std::vector{node_id_t(1)});
    EXPECT_EQ(partition->directories, std::vector{computer.logs->identity().directory_id});
  }
  EXPECT_EQ(computer.controller->published()->configs_of(topic_a),
            (config_values{{"retention.ms", "1"}}));
}

TEST(Controller, DecidesUponWhatIsAppendedAndShowsWhatIsDurable) {
  machine computer(4);
  ASSERT_TRUE(computer.open().ok());
  std::vector<std::string> seen;
  computer.controller->set_listener([&](const image_ptr& before, const image_ptr& after) {
    EXPECT_EQ(before->find_topic("a"), nullptr);
    EXPECT_NE(after->find_topic("a"), nullptr);
    seen.push_back("published");
  });
  computer.controller->create_topic({"a", 1, {}, {}}, [&](result<topic_ptr> created) {
    EXPECT_TRUE(created.ok());
    EXPECT_NE(computer.controller->published()->find_topic("a"), nullptr);
    seen.push_back("created");
  });
  EXPECT_EQ(computer.controller->published()->find_topic("a"), nullptr);
  computer.controller->create_topic({"a", 1, {}, {}}, [&](result<topic_ptr> refused) {
    EXPECT_EQ(refused.code(), error_code::topic_already_exists);
    seen.push_back("refused");
  });
  computer.world.run_until([&] { return seen.size() == 3; });
  EXPECT_EQ(seen, (std::vector<std::string>{"refused", "published", "created"}));
  computer.controller->set_listener(nullptr);
  EXPECT_TRUE(computer.create_topic("b").ok());
  EXPECT_EQ(seen.size(), 3u);
}

TEST(Controller, RefusesWhatContradictsTheImage) {
  machine computer(5);
  ASSERT_TRUE(computer.open().ok());
  const uuid unknown = uuid::make_random(computer.world.random());
  const topic_ptr topic = computer.create_topic("a", 2).value();
  const offset_t end = computer.controller->published()->next_offset;
  const auto delete_topic = [&](auto done) {
    computer.controller->delete_topic(unknown, std::move(done));
  };
  EXPECT_EQ(computer.wait_for<topic_ptr>(delete_topic).code(), error_code::unknown_topic_id);
  for (const std::int32_t total : {-1, 0, 1, 2, 1'000'000}) {
    const auto grow = [&](auto done) {
      computer.controller->create_partitions(topic->id, total, std::move(done));
    };
    EXPECT_EQ(computer.wait_for<topic_ptr>(grow).code(), error_code::invalid_partitions) << total;
  }
  EXPECT_EQ(computer.create_topic("b", 0).code(), error_code::invalid_partitions);
  EXPECT_EQ(computer.raise_leader_epoch(unknown).code(), error_code::unknown_topic_id);
  EXPECT_EQ(computer.raise_leader_epoch(topic->id, 2).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.alter_configs({config_resource_type::topic, "b"}, {{"k", "v"}}).code(),
            error_code::unknown_topic_or_partition);
  EXPECT_EQ(computer.controller->published()->next_offset, end);
}

TEST(Controller, ConfigsAreSetAndRemoved) {
  machine computer(6);
  ASSERT_TRUE(computer.open().ok());
  ASSERT_TRUE(computer.create_topic("a", 1, {{"k", "1"}, {"l", "2"}}).ok());
  ASSERT_TRUE(computer.alter_configs(topic_a, {{"k", std::nullopt}, {"m", "3"}}).ok());
  EXPECT_EQ(computer.controller->published()->configs_of(topic_a),
            (config_values{{"l", "2"}, {"m", "3"}}));
  const offset_t end = computer.controller->published()->next_offset;
  ASSERT_TRUE(computer.alter_configs(topic_a, {{"k", std::nullopt}, {"m", "3"}}).ok());
  EXPECT_EQ(computer.controller->published()->next_offset, end) << "nothing was to be changed";
  ASSERT_TRUE(computer.alter_configs({config_resource_type::broker, ""}, {{"b", "1"}}).ok());
  EXPECT_EQ(computer.controller->published()->configs->size(), 2u);
}

TEST(Controller, TopicsGrowAndGo) {
  machine computer(7);
  ASSERT_TRUE(computer.open().ok());
  const uuid id = computer.create_topic("a", 1).value()->id;
  const auto grow = [&](auto done) {
    computer.controller->create_partitions(id, 4, std::move(done));
  };
  EXPECT_EQ(computer.wait_for<topic_ptr>(grow).value()->partitions.size(), 4u);
  const auto remove = [&](auto done) { computer.controller->delete_topic(id, std::move(done)); };
  EXPECT_EQ(computer.wait_for<topic_ptr>(remove).value()->id, id);
  EXPECT_EQ(computer.controller->published()->find_topic("a"), nullptr);
  EXPECT_NE(computer.create_topic("a", 1).value()->id, id);
}

TEST(Controller, LeaderEpochsOnlyRiseAndProducerIdsAreNeverGivenAgain) {
  machine computer(8);
  ASSERT_TRUE(computer.open().ok());
  const uuid id = computer.create_topic("a", 1).value()->id;
  std::set<std::int64_t> firsts;
  for (int round = 1; round <= 6; ++round) {
    // It does not rise in the life in which the partition was made.
    EXPECT_EQ(computer.raise_leader_epoch(id).value(), leader_epoch_t(std::max(0, round - 2)));
    const producer_id_block block = computer.allocate_producer_ids().value();
    EXPECT_EQ(block.count, 1000);
    EXPECT_TRUE(firsts.insert(block.first.value()).second);
    EXPECT_EQ(block.first.value() % 1000, 0);
    if (round == 2) {
      ASSERT_TRUE(computer.close().ok());
    } else if (round == 4) {
      computer.kill();
    } else {
      continue;
    }
    ASSERT_TRUE(computer.open().ok());
  }
}

TEST(Controller, ManyPartitionsTakeSeveralBatchesAndAreThereAtOnce) {
  machine computer(9);
  ASSERT_TRUE(computer.open().ok());
  EXPECT_EQ(computer.create_topic("a", 30'000).value()->partitions.size(), 30'000u);
  ASSERT_TRUE(computer.close().ok());
  ASSERT_TRUE(computer.open().ok());
  const topic_ptr topic = computer.controller->published()->find_topic("a");
  ASSERT_NE(topic, nullptr);
  ASSERT_EQ(topic->partitions.size(), 30'000u);
  for (const partition_ptr& partition : topic->partitions) ASSERT_NE(partition, nullptr);
}

TEST(Controller, ASnapshotStandsForTheLog) {
  machine computer(10);
  ASSERT_TRUE(computer.open().ok());
  ASSERT_TRUE(computer.create_topic("a", 3, {{"k", "v"}}).ok());
  ASSERT_TRUE(computer.allocate_producer_ids().ok());
  ASSERT_TRUE(computer.controller->write_snapshot().ok());
  const snapshot_id id{computer.controller->published()->next_offset, leader_epoch_t(1)};
  ASSERT_TRUE(computer.create_topic("b", 1).ok());
  const auto records = records_of(*computer.controller->published());
  ASSERT_TRUE(computer.close().ok());
  EXPECT_EQ(find_newest_snapshot(computer.disk, metadata_directory(log_directory)).value(), id);
  const snapshot written =
      *read_snapshot(computer.disk, metadata_directory(log_directory) + "/" + id.file_name())
           .value();
  EXPECT_TRUE(written.voters.has_value()) << "bootstrap servers need the voters";
  computer.bytes_between_snapshots = 0;
  ASSERT_TRUE(computer.open().ok());
  EXPECT_EQ(records_of(*computer.controller->published()), records);
  EXPECT_GT(find_newest_snapshot(computer.disk, metadata_directory(log_directory))->value(), id)
      << "open writes one when the log behind the last is long";
  ASSERT_TRUE(computer.close().ok());
  ASSERT_TRUE(computer.open().ok());
  EXPECT_EQ(records_of(*computer.controller->published()), records);
}

// Puts a snapshot into the directory that is newer than its log, as if somebody else had written
// it.
void plant_snapshot(machine& computer, const snapshot& content) {
  const offset_t end = computer.controller->published()->next_offset;
  const snapshot_id id{end, computer.controller->published()->epoch};
  ASSERT_TRUE(computer.close().ok());
  const byte_buffer bytes = encode_snapshot(content, id.epoch, 0).value();
  ASSERT_TRUE(io::replace_file(computer.disk,
                               metadata_directory(log_directory) + "/" + id.file_name(), bytes)
                  .ok());
}

protocol::metadata_record feature(std::string name, std::int16_t level) {
  protocol::feature_level_record record;
  record.name = std::move(name);
  record.feature_level = level;
  return {std::move(record), 0};
}

TEST(Controller, ADirectoryOfANewerKafkaIsRefused) {
  machine computer(11);
  ASSERT_TRUE(computer.open().ok());
  snapshot content;
  content.records = {feature("metadata.version", 31)};
  plant_snapshot(computer, content);
  const status refused = computer.open();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.code(), error_code::unsupported);
  EXPECT_NE(refused.failure().message.find("metadata.version is 31"), std::string::npos);
}

TEST(Controller, ADirectoryOfAQuorumOfSeveralIsRefused) {
  machine computer(12);
  ASSERT_TRUE(computer.open().ok());
  snapshot content;
  content.records = {feature("metadata.version", 30)};
  for (const int voter : {1, 2, 3}) {
    (content.voters ? *content.voters : content.voters.emplace()).voters.emplace_back().voter_id =
        voter;
  }
  plant_snapshot(computer, content);
  EXPECT_EQ(computer.open().code(), error_code::unsupported);
}

TEST(Controller, ADamagedSnapshotIsNamed) {
  machine computer(13);
  ASSERT_TRUE(computer.open().ok());
  ASSERT_TRUE(computer.controller->write_snapshot().ok());
  ASSERT_TRUE(computer.close().ok());
  const std::string path =
      metadata_directory(log_directory) + "/" +
      find_newest_snapshot(computer.disk, metadata_directory(log_directory)).value()->file_name();
  byte_buffer bytes = io::read_file(computer.disk, path, limits::MiB).value();
  bytes[bytes.size() / 2] ^= std::byte{1};
  ASSERT_TRUE(io::replace_file(computer.disk, path, bytes).ok());
  const status refused = computer.open();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.code(), error_code::corrupt);
  EXPECT_NE(refused.failure().message.find(path), std::string::npos) << refused.failure().message;
}

TEST(Controller, AnUnfencedRegistrationIsFenced) {
  machine computer(14);
  ASSERT_TRUE(computer.open().ok());
  snapshot content;
  protocol::register_broker_record registration = computer.controller->published()->brokers->at(1);
  registration.fenced = false;
  content.records = {feature("metadata.version", 30), {registration, 4}};
  plant_snapshot(computer, content);
  ASSERT_TRUE(computer.open().ok());
  EXPECT_TRUE(computer.controller->published()->brokers->at(1).fenced);
}

TEST(Controller, AfterAFailedWriteEveryChangeFails) {
  machine computer(15);
  ASSERT_TRUE(computer.open().ok());
  computer.disk.faults.sync_error_one_in = 1;
  computer.disk.faults.write_error_one_in = 1;
  EXPECT_FALSE(computer.create_topic("a").ok());
  computer.disk.faults = {};
  EXPECT_EQ(computer.create_topic("b").code(), error_code::storage_failed);
  EXPECT_EQ(computer.controller->published()->find_topic("a"), nullptr);
  EXPECT_EQ(computer.controller->published()->find_topic("b"), nullptr);
}

// What a client was told, to be found again after every crash.
struct promises {
  std::map<std::string, std::int32_t> partitions;  // by topic
  std::map<std::string, leader_epoch_t> epochs;    // of partition 0
  std::set<std::string> made_in_this_life;
  std::set<std::int64_t> producer_ids;
  std::vector<std::string> broken;

  void check(const image& now) {
    for (const auto& [name, count] : partitions) {
      const topic_ptr topic = now.find_topic(name);
      if (topic == nullptr || topic->partitions.size() != static_cast<std::size_t>(count)) {
        broken.push_back(fmt::format("{} with {} partitions", name, count));
      } else if (epochs.contains(name) && topic->partitions[0]->leader_epoch < epochs[name]) {
        broken.push_back(fmt::format("epoch {} of {}", epochs[name], name));
      }
    }
  }
};

void change_something(machine& computer, promises& given, int number) {
  random_source& random = computer.world.random();
  const std::uint64_t choice = random.below(4);
  if (choice == 0 || given.partitions.empty()) {
    const std::string name = fmt::format("topic-{}", number);
    const auto count = static_cast<std::int32_t>(random.one_in(20) ? 20'000 : 1 + random.below(4));
    if (!computer.create_topic(name, count).ok()) return;
    given.partitions[name] = count;
    given.made_in_this_life.insert(name);
  } else if (choice == 1) {
    const auto block = computer.allocate_producer_ids();
    if (block.ok() && !given.producer_ids.insert(block->first.value()).second) {
      given.broken.push_back(fmt::format("producer ids {} given twice", block->first));
    }
  } else {
    auto chosen = given.partitions.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random.below(given.partitions.size())));
    const topic_ptr topic = computer.controller->published()->find_topic(chosen->first);
    if (topic == nullptr) return;
    const auto epoch = computer.raise_leader_epoch(topic->id);
    if (!epoch.ok()) return;
    const leader_epoch_t before = given.epochs[chosen->first];
    const bool is_new = given.made_in_this_life.contains(chosen->first);
    if (is_new ? *epoch != before : *epoch <= before) given.broken.push_back("a wrong epoch");
    given.epochs[chosen->first] = *epoch;
  }
}

// One life after another, each ended by a power cut at a random operation of the disk.
void live_and_crash(machine& computer, promises& given, int& crashes) {
  int number = 0;
  for (int life = 0; life < 8; ++life) {
    const std::uint64_t operations = 1 + computer.world.random().below(150);
    const std::uint64_t last = computer.disk.crash_points() + operations;
    computer.disk.observer = [&](const io::sim::crash_point& point) {
      if (point.number >= last && !computer.disk.is_off()) computer.disk.power_off();
    };
    given.made_in_this_life.clear();
    if (computer.open().ok()) {
      given.check(*computer.controller->published());
      for (int i = 0; i < 30 && !computer.disk.is_off(); ++i) {
        change_something(computer, given, ++number);
      }
    }
    crashes += computer.disk.is_off() ? 1 : 0;
    computer.disk.observer = nullptr;
    computer.crash();
  }
  const status opened = computer.open();
  if (opened.ok()) {
    given.check(*computer.controller->published());
  } else {
    given.broken.push_back(opened.failure().message);
  }
}

TEST(Controller, WhatWasAnsweredIsThereAfterEveryCrash) {
  const std::uint64_t seed = test_seed();
  int crashes = 0;
  for (std::uint64_t run = 0; run < 20; ++run) {
    machine computer(seed + run);
    promises given;
    live_and_crash(computer, given, crashes);
    EXPECT_EQ(given.broken, std::vector<std::string>{}) << "run " << run;
  }
  EXPECT_GT(crashes, 50);
}

// The alarm works: on a disk that only pretends to sync, promises are broken.
TEST(Controller, ADiskThatLiesIsNoticed) {
  std::size_t broken = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    machine computer(seed);
    computer.disk.faults.ignore_file_syncs = true;
    promises given;
    int crashes = 0;
    live_and_crash(computer, given, crashes);
    broken += given.broken.size();
  }
  EXPECT_GT(broken, 0u);
}

}  // namespace
}  // namespace ringlog::metadata
