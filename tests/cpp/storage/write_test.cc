// Appending, flushing, closing and opening again, over real files and a real engine.

#include "storage/batches.h"
#include "storage/file_names.h"
#include "storage/fixture.h"

namespace ringlog::storage {
namespace {

namespace fs = std::filesystem;

const topic_partition orders{"orders", partition_id_t(0)};

class write_test : public storage_test {
 protected:
  write_test() { id_ = uuid::make_random(random_); }

  std::string directory() const { return (scratch_.path() / "log").string(); }
  fs::path partition() const { return scratch_.path() / "log" / "orders-0"; }

  void start(const log_config& config = {}) {
    manager_ = open(directory());
    auto opened = manager_->open_log(orders, id_, config);
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    log_ = *opened;
  }

  void stop() {
    log_.reset();
    const status closed = close(std::move(manager_));
    ASSERT_TRUE(closed.ok()) << closed.failure().message;
  }

  // As a SIGKILL would: nothing is finished.
  void kill() {
    log_.reset();
    manager_.reset();
    restart_engine();
  }

  result<append_info> try_append(const test_batch& batch, append_options options = {}) {
    return log_->append_as_leader(make_batch(batch), options);
  }

  append_info append(const test_batch& batch = {}, append_options options = {}) {
    const auto info = try_append(batch, options);
    EXPECT_TRUE(info.ok()) << info.failure().message;
    const status durable = wait(*info);
    EXPECT_TRUE(durable.ok()) << durable.failure().message;
    return *info;
  }

  status wait(const append_info& info) {
    return await<status>(
        [&](callback<void(status)> done) { log_->when_durable(info, std::move(done)); });
  }

  // Base offsets and values of everything up to the high watermark.
  std::vector<std::string> content(std::int64_t bytes_max = 1 << 20) {
    std::vector<std::string> values;
    offset_t next = log_->offsets().log_start;
    while (true) {
      const auto answer = log_->read(next, bytes_max, read_bound::high_watermark);
      EXPECT_TRUE(answer.ok()) << answer.failure().message;
      if (!answer.ok() || answer->batches.empty()) return values;
      for (const model::batch_view& batch : batches_of(*answer)) {
        EXPECT_TRUE(model::validate(batch, model::validation_level::checksum).ok());
        model::record_iterator records(batch, batch.records());
        for (model::record_view record; records.next(record);) {
          if (record.offset < next) continue;
          values.push_back(std::to_string(record.offset.value()) + "=" + to_string(*record.value));
        }
      }
      next = answer->end_offset;
    }
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(partition())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  uuid id_;
  std::unique_ptr<log_manager> manager_;
  std::shared_ptr<partition_log> log_;
};

TEST_F(write_test, AppendsAreDurableReadableAndThereAfterACleanClose) {
  start();
  EXPECT_FALSE(fs::exists(partition())) << "made by the first append";
  EXPECT_EQ(append({.count = 3, .value = "a"}).first_offset, offset_t(0));
  EXPECT_EQ(append({.count = 2, .value = "b"}).first_offset, offset_t(3));
  const std::vector<std::string> all{"0=a", "1=a", "2=a", "3=b", "4=b"};
  EXPECT_EQ(content(), all);
  EXPECT_EQ(content(1), all) << "at least one batch each time";
  stop();
  EXPECT_EQ(files(), (std::vector<std::string>{
                         "00000000000000000000.index", "00000000000000000000.log",
                         "00000000000000000000.timeindex", "00000000000000000005.snapshot",
                         "leader-epoch-checkpoint", "partition.metadata"}));
  EXPECT_TRUE(fs::exists(directory() + "/.kafka_cleanshutdown"));

  start();
  EXPECT_FALSE(fs::exists(directory() + "/.kafka_cleanshutdown"));
  EXPECT_TRUE(manager_->had_clean_shutdown());
  EXPECT_EQ(content(), all);
  EXPECT_EQ(append({.value = "c"}).first_offset, offset_t(5));
  stop();
}

TEST_F(write_test, WhatWasDurableIsThereAfterAKill) {
  start();
  std::vector<std::string> expected;
  for (int number = 0; number < 50; ++number) {
    const std::string value = "v" + std::to_string(number);
    append({.value = value});
    expected.push_back(std::to_string(number) + "=" + value);
  }
  kill();
  start();
  EXPECT_FALSE(manager_->had_clean_shutdown());
  EXPECT_EQ(content(), expected);
  stop();
}

TEST_F(write_test, RollsBySizeAndServesAllSegments) {
  log_config config;
  config.segment_bytes = 1000;
  config.index_interval_bytes = 100;
  start(config);
  std::vector<std::string> expected;
  for (int number = 0; number < 100; ++number) {
    const std::string value = "v" + std::to_string(number);
    append({.value = value});
    expected.push_back(std::to_string(number) + "=" + value);
  }
  EXPECT_EQ(content(), expected);
  stop();
  start(config);
  EXPECT_EQ(content(), expected);
  EXPECT_EQ(content(200), expected);
  kill();
  start(config);
  EXPECT_EQ(content(300), expected);
  stop();
}

}  // namespace
}  // namespace ringlog::storage
