// Random appends, cuts, closes and kills against a model of what must be there. RINGLOG_SEED
// repeats a run.

#include "io/system_random.h"
#include "storage/log_fixture.h"

namespace ringlog::storage {
namespace {

std::uint64_t seed() {
  const char* given = std::getenv("RINGLOG_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10)
                          : io::system_random().next() % 1000000;
}

// One partition and what it must hold; offsets start at `first`.
class random_test : public log_test, public ::testing::WithParamInterface<int> {
 protected:
  void run(int steps) {
    config_.segment_bytes = 2000;
    config_.index_interval_bytes = 200;
    config_.retention_ms = -1;
    config_.file_delete_delay_ms = 0;
    start(config_);
    for (int step = 0; step < steps && !HasFailure(); ++step) {
      switch (chance_.below(20)) {
        case 0:
          stop();
          start(config_);
          break;
        case 1:
          kill();
          start(config_);
          break;
        case 2:
          truncate();
          break;
        case 3:
          delete_some();
          break;
        case 4:
          look_up();
          break;
        default:
          append_some();
          break;
      }
      if (chance_.one_in(5)) check();
    }
    check();
    stop();
    start(config_);
    check();
    stop();
  }

  void append_some() {
    std::vector<append_info> given;
    for (std::uint64_t count = chance_.below(8) + 1; count > 0; --count) {
      const int records = static_cast<int>(chance_.below(4)) + 1;
      const std::string value =
          std::to_string(next_value_++) + std::string(chance_.below(200), 'x');
      test_batch batch{.count = records, .value = value};
      batch.timestamp = clock_.wall_ms() + static_cast<std::int64_t>(chance_.below(5000));
      if (chance_.one_in(2)) {
        batch.producer_id = producer_id_t(1);
        batch.producer_epoch = producer_epoch_t(0);
        batch.base_sequence = static_cast<std::int32_t>(sequences_.size());
      }
      const auto info = try_append(batch);
      ASSERT_TRUE(info.ok()) << info.failure().message;
      ASSERT_EQ(info->first_offset.value(), end());
      ASSERT_FALSE(info->duplicate);
      for (int number = 0; number < records; ++number) {
        if (batch.base_sequence != no_sequence) sequences_.push_back(end());
        records_.push_back({value, batch.timestamp});
      }
      given.push_back(*info);
    }
    for (const append_info& info : given) ASSERT_TRUE(wait(info).ok());
  }

  void truncate() {
    if (end() == first_) return;
    // At the start of a record's batch or inside of it: the whole batch goes.
    const std::int64_t at =
        first_ +
        static_cast<std::int64_t>(chance_.below(static_cast<std::uint64_t>(end() - first_))) + 1;
    const status cut = await<status>(
        [&](callback<void(status)> done) { log_->truncate_to(offset_t(at), std::move(done)); });
    ASSERT_TRUE(cut.ok()) << cut.failure().message;
    const std::int64_t left = log_->offsets().log_end.value();
    ASSERT_LE(left, at);
    ASSERT_GT(left, at - 4) << "batches have at most four records";
    records_.resize(static_cast<std::size_t>(left));
    while (!sequences_.empty() && sequences_.back() >= left) sequences_.pop_back();
    if (left < first_) first_ = left;
  }

  void delete_some() {
    const std::int64_t at = first_ + static_cast<std::int64_t>(chance_.below(
                                         static_cast<std::uint64_t>(end() - first_) / 3 + 1));
    const auto moved = await<result<offset_t>>([&](callback<void(result<offset_t>)> done) {
      log_->delete_records(offset_t(at), std::move(done));
    });
    ASSERT_TRUE(moved.ok()) << moved.failure().message;
    first_ = at;
    if (chance_.one_in(2)) {
      const auto gone = await<result<std::int64_t>>([&](callback<void(result<std::int64_t>)> done) {
        manager_->apply_retention(std::move(done));
      });
      ASSERT_TRUE(gone.ok()) << gone.failure().message;
    }
  }

  void look_up() {
    const std::int64_t timestamp =
        clock_.wall_ms() + static_cast<std::int64_t>(chance_.below(5000));
    std::int64_t expected = -1;
    for (std::int64_t at = first_; at < end() && expected < 0; ++at) {
      if (records_[static_cast<std::size_t>(at)].timestamp >= timestamp) expected = at;
    }
    const auto found = log_->offset_for_timestamp(timestamp, read_bound::high_watermark);
    ASSERT_TRUE(found.ok()) << found.failure().message;
    EXPECT_EQ(found->value_or(timestamped_offset()).offset.value(), expected);
  }

  void check() {
    ASSERT_EQ(log_->offsets().log_start.value(), first_);
    ASSERT_EQ(log_->offsets().log_end.value(), end());
    std::vector<std::string> expected;
    for (std::int64_t at = first_; at < end(); ++at) {
      expected.push_back(std::to_string(at) + "=" + records_[static_cast<std::size_t>(at)].value);
    }
    ASSERT_EQ(content(static_cast<std::int64_t>(chance_.below(3000)) + 1), expected);
  }

  std::int64_t end() const { return static_cast<std::int64_t>(records_.size()); }

  struct record {
    std::string value;
    std::int64_t timestamp;
  };

  log_config config_;
  std::uint64_t seed_ = seed() + static_cast<std::uint64_t>(GetParam());
  seeded_random chance_{seed_};
  std::vector<record> records_;          // by offset
  std::vector<std::int64_t> sequences_;  // offset of each sequence number of producer 1
  std::int64_t first_ = 0;
  int next_value_ = 0;
};

TEST_P(random_test, WhatWasAcknowledgedIsThereInOrder) {
  RecordProperty("seed", std::to_string(seed_));
  SCOPED_TRACE("RINGLOG_SEED=" + std::to_string(seed_ - static_cast<std::uint64_t>(GetParam())));
  run(100);
}

INSTANTIATE_TEST_SUITE_P(Seeds, random_test, ::testing::Range(0, 3));

}  // namespace
}  // namespace ringlog::storage
