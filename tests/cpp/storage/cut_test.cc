// Deleting at the front, cutting at the end, deleting the whole partition.

#include "storage/log_fixture.h"

namespace ringlog::storage {
namespace {

class cut_test : public log_test {
 protected:
  log_config small_segments() {
    log_config config;
    config.segment_bytes = 400;
    config.index_interval_bytes = 100;
    config.retention_ms = -1;
    config.file_delete_delay_ms = 0;
    return config;
  }

  // 1 record a batch, 4 batches a segment.
  std::vector<std::string> fill(int count, int from = 0) {
    std::vector<std::string> values;
    for (int number = from; number < from + count; ++number) {
      const std::string value = "v" + std::to_string(number);
      append({.value = value, .timestamp = clock_.wall_ms() + number});
      values.push_back(std::to_string(number) + "=" + value);
    }
    return values;
  }

  result<offset_t> delete_records(offset_t before) {
    return await<result<offset_t>>([&](callback<void(result<offset_t>)> done) {
      log_->delete_records(before, std::move(done));
    });
  }
  std::int64_t apply_retention() {
    return await<result<std::int64_t>>([&](callback<void(result<std::int64_t>)> done) {
             manager_->apply_retention(std::move(done));
           })
        .value();
  }
  status truncate(std::int64_t end) {
    return await<status>(
        [&](callback<void(status)> done) { log_->truncate_to(offset_t(end), std::move(done)); });
  }
  // Segments of the partition that this process has open, under whatever name.
  static int open_segments() {
    int count = 0;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code gone;  // the iteration's own descriptor
      const std::string name = fs::read_symlink(entry.path(), gone).string();
      if (name.find("/orders-0") != name.npos && name.find(".log") != name.npos) ++count;
    }
    return count;
  }
  std::size_t count_of(std::string_view suffix) const {
    const auto names = files();
    return static_cast<std::size_t>(std::count_if(
        names.begin(), names.end(), [&](const auto& name) { return name.ends_with(suffix); }));
  }
};

TEST_F(cut_test, DeletedRecordsStayDeletedAfterAKill) {
  start(small_segments());
  const auto all = fill(20);
  EXPECT_EQ(delete_records(offset_t(21)).code(), error_code::offset_out_of_range);
  EXPECT_EQ(*delete_records(offset_t(10)), offset_t(10));
  EXPECT_EQ(*delete_records(offset_t(3)), offset_t(10)) << "never backwards";
  EXPECT_EQ(log_->read(offset_t(9), 1000, read_bound::high_watermark).code(),
            error_code::offset_out_of_range);
  const std::vector<std::string> left(all.begin() + 10, all.end());
  EXPECT_EQ(content(), left);
  kill();
  start(small_segments());
  EXPECT_EQ(log_->offsets().log_start, offset_t(10));
  EXPECT_EQ(content(), left);
  EXPECT_EQ(apply_retention(), 2);
  EXPECT_EQ(content(), left);
  stop();
  EXPECT_EQ(count_of(".log"), 2u);
  start(small_segments());
  EXPECT_EQ(content(), left);
  EXPECT_EQ(*delete_records(no_offset), offset_t(20));
  EXPECT_TRUE(content().empty());
  EXPECT_EQ(append({.value = "x"}).first_offset, offset_t(20));
  stop();
}

TEST_F(cut_test, ACutBelowTheLogStartLowersItForGood) {
  start(small_segments());
  append({.count = 4, .value = "old"});
  EXPECT_EQ(*delete_records(offset_t(2)), offset_t(2));
  ASSERT_TRUE(truncate(3).ok());  // inside of the batch, which goes as a whole
  EXPECT_EQ(log_->offsets().log_start, offset_t(0));
  const auto all = fill(6);
  kill();
  start(small_segments());
  EXPECT_EQ(log_->offsets().log_start, offset_t(0));
  EXPECT_EQ(content(), all);
  stop();
}

TEST_F(cut_test, RetentionBySize) {
  log_config config = small_segments();
  start(config);
  const auto all = fill(20);
  config.retention_bytes = 900;
  log_->set_config(config);
  const std::int64_t before = log_->size_bytes();
  const std::int64_t deleted = apply_retention();
  EXPECT_GT(deleted, 0);
  EXPECT_LE(log_->size_bytes(), before);
  EXPECT_GE(log_->size_bytes(), 900);
  EXPECT_LT(log_->size_bytes(), 900 + 400);
  const auto from = static_cast<std::ptrdiff_t>(log_->offsets().log_start.value());
  EXPECT_EQ(content(), std::vector<std::string>(all.begin() + from, all.end()));
  kill();
  start(config);
  EXPECT_EQ(content(), std::vector<std::string>(all.begin() + from, all.end()));
  stop();
}

TEST_F(cut_test, RetentionByTimeMayTakeEverything) {
  log_config config = small_segments();
  start(config);
  fill(20);
  config.retention_ms = 1000;
  log_->set_config(config);
  EXPECT_EQ(apply_retention(), 0);
  clock_.set_wall_ms(clock_.wall_ms() + 5000);
  EXPECT_GT(apply_retention(), 0);
  EXPECT_TRUE(content().empty());
  EXPECT_EQ(log_->offsets().log_start, offset_t(20));
  kill();
  start(config);
  EXPECT_EQ(log_->offsets().log_end, offset_t(20)) << "offsets go on";
  EXPECT_EQ(append({.value = "x"}).first_offset, offset_t(20));
  EXPECT_EQ(content(), std::vector<std::string>{"20=x"});
  stop();
  EXPECT_EQ(count_of(".deleted"), 0u);
}

TEST_F(cut_test, CompactedTopicsLoseNothing) {
  log_config config = small_segments();
  config.cleanup_compact = true;
  config.cleanup_delete = false;
  config.retention_ms = 1;
  config.retention_bytes = 1;
  start(config);
  const auto all = fill(20);
  clock_.set_wall_ms(clock_.wall_ms() + 5000);
  EXPECT_EQ(apply_retention(), 0);
  EXPECT_EQ(content(), all);
  stop();
}

TEST_F(cut_test, TruncationAtEveryOffset) {
  for (int end = 0; end <= 20; ++end) {
    SCOPED_TRACE(end);
    fs::remove_all(directory());
    start(small_segments());
    auto all = fill(20);
    ASSERT_TRUE(truncate(end).ok());
    all.resize(static_cast<std::size_t>(end));
    EXPECT_EQ(content(), all);
    EXPECT_EQ(log_->offsets().log_end, offset_t(end));
    if (end % 3 == 0) {
      kill();
      start(small_segments());
      EXPECT_EQ(content(), all);
    }
    const auto more = fill(6, end);
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(content(), all);
    const auto newest = log_->offset_of_max_timestamp();
    EXPECT_EQ((*newest)->offset, offset_t(end + 5));
    stop();
    start(small_segments());
    EXPECT_EQ(content(), all);
    stop();
  }
}

TEST_F(cut_test, TruncationForgetsProducersOfWhatIsCut) {
  start(small_segments());
  for (std::int32_t sequence = 0; sequence < 12; ++sequence) {
    append({.producer_id = producer_id_t(5),
            .producer_epoch = producer_epoch_t(0),
            .base_sequence = sequence});
  }
  ASSERT_TRUE(truncate(6).ok());
  EXPECT_EQ(log_->producers().at(0).last_sequence, 5);
  EXPECT_EQ(append({.producer_id = producer_id_t(5),
                    .producer_epoch = producer_epoch_t(0),
                    .base_sequence = 6})
                .first_offset,
            offset_t(6));
  stop();
}

TEST_F(cut_test, ADeletedPartitionIsGoneAndItsNameIsFree) {
  start(small_segments());
  fill(5);
  EXPECT_GT(open_segments(), 0);
  const auto deleted = await<status>(
      [&](callback<void(status)> done) { manager_->delete_log(orders, std::move(done)); });
  EXPECT_TRUE(deleted.ok());
  EXPECT_FALSE(fs::exists(partition()));
  EXPECT_EQ(open_segments(), 0) << "they would take room on the disk";
  EXPECT_EQ(try_append({}).code(), error_code::closed);
  EXPECT_EQ(log_->read(offset_t(0), 1000, read_bound::log_end).code(), error_code::closed);
  EXPECT_EQ(manager_->find_log(orders), nullptr);
  const uuid other = uuid::make_random(random_);
  log_ = *manager_->open_log(orders, other, small_segments());
  EXPECT_EQ(append({.value = "new"}).first_offset, offset_t(0));
  EXPECT_EQ(content(), std::vector<std::string>{"0=new"});
  stop();
  manager_ = open(directory());
  EXPECT_EQ(manager_->open_log(orders, id_, small_segments()).code(), error_code::foreign_directory)
      << "the directory has the other topic id";
  ASSERT_TRUE(manager_->set_aside(orders).ok());
  EXPECT_FALSE(fs::exists(partition()));
  stop();
}

TEST_F(cut_test, RollsByTimeAndByAFullIndex) {
  log_config config;
  config.segment_ms = 1000;
  start(config);
  append({.timestamp = clock_.wall_ms()});
  append({.timestamp = clock_.wall_ms() + 900});
  append({.timestamp = clock_.wall_ms() + 1100});
  config.segment_ms = 1'000'000;
  config.segment_index_bytes = 24;  // two entries of the time index, one for its end
  config.index_interval_bytes = 0;
  log_->set_config(config);
  for (int number = 0; number < 6; ++number)
    append({.timestamp = clock_.wall_ms() + 1200 + number});
  stop();
  EXPECT_GT(count_of(".log"), 3u);
  EXPECT_TRUE(fs::exists(partition() / "00000000000000000002.log"));
  start(config);
  EXPECT_EQ(content().size(), 9u);
  stop();
}

}  // namespace
}  // namespace ringlog::storage
