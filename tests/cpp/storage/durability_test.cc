#include <gtest/gtest.h>

#include <optional>

#include "io/sim/disk.h"
#include "io/sim/world.h"
#include "model/record.h"
#include "storage/batches.h"
#include "storage/checkpoint_file.h"
#include "storage/journal/journal_checkpoint.h"
#include "storage/log_manager.h"

// What an acknowledgement promises by durability, and that changing it breaks no promise; on a disk
// whose power can go.
namespace ringlog::storage {
namespace {

const topic_partition orders{"orders", partition_id_t(0)};

class DurabilityTest : public ::testing::Test {
 protected:
  explicit DurabilityTest(std::uint64_t seed = 7) : world_(seed) {}

  void SetUp() override {
    config_.file_delete_delay_ms = 1'000;
    config_.retention_ms = -1;
    ASSERT_TRUE(disk_.make_directories("/data/log").ok());
    ASSERT_TRUE(disk_.sync_directory("/data").ok());
    ASSERT_TRUE(disk_.sync_directory("/").ok());
  }
  void TearDown() override { kill(); }

  result<std::unique_ptr<log_manager>> try_to_open() {
    log_manager_options options;
    options.directory = "/data/log";
    options.journal_directory = "/data/journal";
    options.journal_bytes_max = 2 * limits::MiB;
    options.format = directory_identity{
        .cluster_id = "simulated", .node_id = node_id_t(1), .directory_id = uuid::reserved(99)};
    return log_manager::open({disk_, engine_, world_.time(), world_.random(), sink_}, options);
  }

  void open_manager() {
    auto opened = try_to_open();
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    manager_ = std::move(*opened);
  }

  void start() {
    open_manager();
    auto log = manager_->open_log(orders, id_, config_);
    ASSERT_TRUE(log.ok()) << log.failure().message;
    log_ = *log;
  }

  // The process ends at once; the kernel and its page cache go on.
  void kill() {
    world_.drop_all();
    log_.reset();
    manager_.reset();
    world_.drop_all();
  }

  void lose_power() {
    disk_.power_off();
    kill();
    disk_.power_on();
  }

  void close() {
    std::optional<status> closed;
    log_.reset();
    manager_->close([&](status outcome) { closed = std::move(outcome); });
    ASSERT_TRUE(world_.run_until([&] { return closed.has_value(); }));
    ASSERT_TRUE(closed->ok()) << closed->failure().message;
    kill();
  }

  void ask_for(durability promise) {
    config_.promise = promise;
    if (log_ != nullptr) log_->set_config(config_);
  }

  append_info put(const std::string& value, int count = 1) {
    const auto info = log_->append_as_leader(
        make_batch({.count = count, .value = value, .timestamp = world_.time().wall_ms()}), {});
    EXPECT_TRUE(info.ok()) << info.failure().message;
    return *info;
  }

  void wait_for(const append_info& appended) {
    std::optional<status> answer;
    log_->when_durable(appended, [&](status outcome) { answer = std::move(outcome); });
    ASSERT_TRUE(world_.run_until([&] { return answer.has_value(); }));
    ASSERT_TRUE(answer->ok()) << answer->failure().message;
  }

  void append(const std::string& value) { wait_for(put(value)); }
  void append(int count, const std::string& value) {
    for (int i = 0; i < count; ++i) append(value);
  }

  void delete_records(std::int64_t before) {
    std::optional<result<offset_t>> moved;
    log_->delete_records(offset_t(before),
                         [&](result<offset_t> outcome) { moved = std::move(outcome); });
    ASSERT_TRUE(world_.run_until([&] { return moved.has_value(); }));
    ASSERT_TRUE(moved->ok()) << moved->failure().message;
  }

  void truncate_to(std::int64_t end) {
    std::optional<status> cut;
    log_->truncate_to(offset_t(end), [&](status outcome) { cut = std::move(outcome); });
    ASSERT_TRUE(world_.run_until([&] { return cut.has_value(); }));
    ASSERT_TRUE(cut->ok()) << cut->failure().message;
  }

  // The values from the log's start on; one that is not a whole batch is a failure.
  std::vector<std::string> content() {
    std::vector<std::string> values;
    for (offset_t next = log_->offsets().log_start; next < log_->offsets().log_end;) {
      const auto read = log_->read(next, 1 << 20, read_bound::log_end);
      EXPECT_TRUE(read.ok()) << read.failure().message;
      if (!read.ok() || read->batches.empty()) return values;
      for (const model::batch_view& batch : batches_of(*read)) {
        EXPECT_TRUE(model::validate(batch, model::validation_level::checksum).ok());
        EXPECT_EQ(batch.base_offset(), next);
        model::record_iterator records(batch, batch.records());
        for (model::record_view record; records.next(record);) {
          values.push_back(to_string(*record.value));
        }
        next = batch.next_offset();
      }
    }
    return values;
  }

  offset_t recovery_point() {
    std::optional<status> written;
    manager_->checkpoint([&](status outcome) { written = std::move(outcome); });
    EXPECT_TRUE(world_.run_until([&] { return written.has_value(); }));
    return read_offset_checkpoint(disk_, "/data/log/recovery-point-offset-checkpoint")
        .value()
        .at(orders);
  }

  std::uint64_t durable_writes() { return disk_.events().at("durable_sync"); }

  io::sim::world world_;
  io::sim::disk disk_{world_};
  io::sim::actor& engine_ = world_.make_actor();
  null_log_sink sink_;
  log_config config_;
  const uuid id_ = uuid::reserved(60);
  std::unique_ptr<log_manager> manager_;
  std::shared_ptr<partition_log> log_;
};

// What a power cut takes is chance: once with each seed.
class PowerCutTest : public DurabilityTest, public ::testing::WithParamInterface<int> {
 protected:
  PowerCutTest() : DurabilityTest(static_cast<std::uint64_t>(GetParam())) {}
};
INSTANTIATE_TEST_SUITE_P(Seeds, PowerCutTest, ::testing::Range(1, 11));

using values = std::vector<std::string>;

TEST_P(PowerCutTest, FsyncSurvivesThePowerCut) {
  start();
  append(20, "kept");
  lose_power();
  start();
  EXPECT_EQ(content(), values(20, "kept"));
}

TEST_F(DurabilityTest, PageCacheSurvivesTheEndOfTheProcess) {
  ask_for(durability::page_cache);
  start();
  append(20, "kept");
  kill();
  start();
  EXPECT_EQ(content(), values(20, "kept"));
  append("more");
  close();
  start();
  EXPECT_EQ(content().size(), 21u);
}

TEST_F(DurabilityTest, PageCacheGoesPastTheJournalAndLosesWhatWasNotSynced) {
  ask_for(durability::page_cache);
  start();
  append("first");  // after which the journal knows how this log is kept
  const std::uint64_t before = durable_writes();
  append(200, std::string(1000, 'x'));
  EXPECT_EQ(durable_writes(), before);
  lose_power();
  start();
  EXPECT_LT(content().size(), 201u);
  append("goes on");
  EXPECT_EQ(content().back(), "goes on");
}

TEST_P(PowerCutTest, ToFsyncSyncsWhatTheNextAcknowledgementStandsOn) {
  ask_for(durability::page_cache);
  start();
  append(200, std::string(1000, 'x'));
  ask_for(durability::fsync);
  append("last");
  lose_power();
  start();
  EXPECT_EQ(content().size(), 201u);
}

TEST_F(DurabilityTest, NothingIsAcknowledgedFromThePageCacheOnceFsyncIsAskedFor) {
  ask_for(durability::page_cache);
  start();
  append("first");
  disk_.faults.sync_error_one_in = 1;
  const append_info appended = put("second");
  ask_for(durability::fsync);
  std::optional<status> answer;
  log_->when_durable(appended, [&](status outcome) { answer = std::move(outcome); });
  ASSERT_TRUE(world_.run_until([&] { return answer.has_value(); }));
  EXPECT_FALSE(answer->ok());
  EXPECT_EQ(log_->offsets().high_watermark, offset_t(1));
}

TEST_F(DurabilityTest, AReplayPutsNothingOverWhatCameAfterTheJournal) {
  start();
  append(10, "old");
  ask_for(durability::page_cache);
  append("old");
  truncate_to(5);
  append(7, "new");
  kill();
  start();
  values expected(5, "old");
  expected.insert(expected.end(), 7, "new");
  EXPECT_EQ(content(), expected);
}

TEST_F(DurabilityTest, EachStartTakesTheNextEpochOfTheJournal) {
  const auto next_epoch = [&] {
    start();
    return read_checkpoint(disk_, "/data/journal").value()->epoch;
  };
  const std::uint64_t first = next_epoch();
  kill();
  EXPECT_EQ(next_epoch(), first + 1);
  close();
  EXPECT_EQ(next_epoch(), first + 2);
}

enum class harm { flipped_bit, lost_tail, lost_file };

class HarmedCheckpointTest : public DurabilityTest, public ::testing::WithParamInterface<harm> {
 protected:
  void harm_checkpoint() {
    const std::string path = "/data/journal/checkpoint";
    if (GetParam() == harm::lost_file) {
      ASSERT_TRUE(disk_.remove(path).ok());
      return;
    }
    byte_buffer content = io::read_file(disk_, path, limits::MiB).value();
    if (GetParam() == harm::lost_tail) content.resize(content.size() - 1);
    if (GetParam() == harm::flipped_bit) content[content.size() / 2] ^= std::byte{1};
    ASSERT_TRUE(io::replace_file(disk_, path, content).ok());
  }
};

TEST_P(HarmedCheckpointTest, IsNotNeededOfALogThatWasClosed) {
  start();
  append(10, "old");
  close();
  harm_checkpoint();
  start();
  truncate_to(5);
  append(7, "new");
  kill();
  start();
  values expected(5, "old");
  expected.insert(expected.end(), 7, "new");
  EXPECT_EQ(content(), expected);  // blocks of the first time are not among those replayed
}

TEST_P(HarmedCheckpointTest, IsRefusedWithARemedyWhereTheJournalIsNeeded) {
  start();
  append(10, "old");
  kill();
  harm_checkpoint();
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto refused = try_to_open();
    ASSERT_EQ(refused.code(), error_code::corrupt);
    const std::string& message = refused.failure().message;
    for (const char* part : {"/data/journal/checkpoint", "did not close", "from a copy",
                             "move /data/journal away", "`ringlog check`"}) {
      EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
    }
  }
  ASSERT_TRUE(disk_.rename("/data/journal", "/data/moved away").ok());
  start();
  append("new");
  const values found = content();
  ASSERT_FALSE(found.empty());
  EXPECT_LE(found.size(), 11u);
  values expected(found.size() - 1, "old");
  expected.emplace_back("new");
  EXPECT_EQ(found, expected);
}

INSTANTIATE_TEST_SUITE_P(Journal, HarmedCheckpointTest,
                         testing::Values(harm::flipped_bit, harm::lost_tail, harm::lost_file));

// The first start's replay removes its directory, which no sync makes to last.
TEST_P(PowerCutTest, ADeletionIsReplayedAgain) {
  start();
  append(25, std::string(50'000, 'x'));
  ASSERT_TRUE(world_.run_until(
      [&] { return !read_checkpoint(disk_, "/data/journal").value()->logs.empty(); }));
  log_.reset();
  disk_.observer = [&](const io::sim::crash_point& at) {
    if (at.what == "rename" && at.path.starts_with("/data/log/orders-0.")) disk_.power_off();
  };
  manager_->delete_log(orders, [](const status&) {});
  ASSERT_TRUE(world_.run_until([&] { return disk_.is_off(); }));
  disk_.observer = nullptr;
  lose_power();
  open_manager();
  ASSERT_TRUE(manager_->claim().ok());
  ASSERT_FALSE(disk_.exists("/data/log/orders-0").value());
  lose_power();
  open_manager();
  EXPECT_FALSE(disk_.exists("/data/log/orders-0").value());
}

// The power goes while a checkpoint is being written and appends go on.
TEST_P(PowerCutTest, ACheckpointFreesNothingBeforeItLasts) {
  start();
  int checkpoints = 1 + GetParam() % 3;
  disk_.observer = [&](const io::sim::crash_point& at) {
    const bool begins =
        at.what == "create" && !at.is_after && at.path.starts_with("/data/journal/checkpoint");
    if (begins && --checkpoints == 0) disk_.power_off();
  };
  const std::string value(50'000, 'x');
  std::size_t acknowledged = 0;
  while (!disk_.is_off()) {
    const auto info = log_->append_as_leader(
        make_batch({.value = value, .timestamp = world_.time().wall_ms()}), {});
    if (info.ok()) {
      log_->when_durable(*info, [&](const status& outcome) { acknowledged += outcome.ok(); });
    } else {
      ASSERT_TRUE(world_.run_one());
    }
  }
  disk_.observer = nullptr;
  lose_power();
  start();
  EXPECT_GT(acknowledged, 0u);
  EXPECT_GE(content().size(), acknowledged);
}

// The page cache has what the disk refused: that is read, and no later flush writes it.
TEST_P(PowerCutTest, ABlockWhoseFlushFailedIsWrittenAnew) {
  start();
  append(5, "old");
  disk_.faults.sync_error_one_in = 1;
  std::optional<status> answer;
  log_->when_durable(put("unanswered"), [&](status outcome) { answer = std::move(outcome); });
  ASSERT_TRUE(world_.run_until([&] { return answer.has_value(); }));
  EXPECT_FALSE(answer->ok());
  kill();
  disk_.faults = {};
  start();
  append("new");
  const values expected = content();
  lose_power();
  start();
  EXPECT_EQ(content(), expected);
}

TEST_P(PowerCutTest, ThereAndBackWithACutBetween) {
  start();
  append(10, "old");
  ask_for(durability::page_cache);
  append(3, "old");
  truncate_to(5);
  append(4, "new");
  ask_for(durability::fsync);
  append(2, "last");
  truncate_to(10);
  append("end");
  lose_power();
  start();
  EXPECT_EQ(content(),
            (values{"old", "old", "old", "old", "old", "new", "new", "new", "new", "last", "end"}));
}

TEST_P(PowerCutTest, TheSettingOfTheNextStartCounts) {
  start();
  append(10, "old");
  kill();
  ask_for(durability::page_cache);  // the journal has ten entries of it
  start();
  append(200, std::string(1000, 'x'));
  kill();
  ask_for(durability::fsync);
  start();
  ASSERT_EQ(content().size(), 210u);
  append("last");
  lose_power();
  start();
  EXPECT_EQ(content().size(), 211u);
}

TEST_F(DurabilityTest, ADeletedLogIsGone) {
  ask_for(durability::page_cache);
  start();
  append(5, "old");
  log_.reset();
  std::optional<status> deleted;
  manager_->delete_log(orders, [&](status outcome) { deleted = std::move(outcome); });
  ASSERT_TRUE(world_.run_until([&] { return deleted.has_value(); }));
  lose_power();
  start();
  EXPECT_EQ(content(), values());
}

TEST_F(DurabilityTest, ACloseInTheMiddleOfAChangeLeavesEverything) {
  for (const durability next :
       {durability::page_cache, durability::fsync, durability::page_cache}) {
    start();
    append(2, "value");
    ask_for(next);
    put("value");
    close();
  }
  start();
  EXPECT_EQ(content(), values(9, "value"));
}

TEST_F(DurabilityTest, DeletedRecordsStayDeleted) {
  ask_for(durability::page_cache);
  start();
  append(10, "value");
  delete_records(6);
  lose_power();
  start();
  EXPECT_EQ(log_->offsets().log_start, offset_t(6));
}

TEST_P(PowerCutTest, ACutBelowTheLogStartLowersItForGood) {
  const bool is_synced = GetParam() % 2 == 0;
  ask_for(is_synced ? durability::fsync : durability::page_cache);
  start();
  wait_for(put("old", 4));
  delete_records(2);
  truncate_to(3);  // inside of the batch, which goes as a whole
  EXPECT_EQ(log_->offsets().log_start, offset_t(0));
  append(6, "new");
  if (is_synced) {
    lose_power();
  } else {
    kill();
  }
  start();
  EXPECT_EQ(log_->offsets().log_start, offset_t(0));
  EXPECT_EQ(content(), values(6, "new"));
}

TEST_P(PowerCutTest, FlushMessagesOfOneSyncsBeforeEachAcknowledgement) {
  ask_for(durability::page_cache);
  config_.flush_messages = 1;
  start();
  append(20, "kept");
  EXPECT_EQ(recovery_point(), offset_t(20));
  lose_power();
  start();
  EXPECT_EQ(content(), values(20, "kept"));
}

TEST_P(PowerCutTest, FlushMessagesBoundsTheLoss) {
  ask_for(durability::page_cache);
  config_.flush_messages = 10;
  start();
  append(25, std::string(3000, 'x'));
  lose_power();
  start();
  EXPECT_GE(content().size(), 16u);
}

TEST_P(PowerCutTest, FlushMsSyncsAfterAWhile) {
  ask_for(durability::page_cache);
  config_.flush_ms = 500;
  start();
  append(20, "kept");
  EXPECT_EQ(recovery_point(), offset_t(0));
  world_.run_for(milliseconds(600));
  EXPECT_EQ(recovery_point(), offset_t(20));
  lose_power();
  start();
  EXPECT_EQ(content(), values(20, "kept"));
}

TEST_F(DurabilityTest, ARollSyncsWhatCannotChangeAnyMore) {
  ask_for(durability::page_cache);
  config_.segment_bytes = 5'000;
  start();
  append(20, std::string(1000, 'x'));
  world_.run_for(milliseconds(100));
  EXPECT_GE(recovery_point(), offset_t(8));
}

}  // namespace
}  // namespace ringlog::storage
