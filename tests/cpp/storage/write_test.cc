// Appending, flushing, closing and opening again, over real files and a real engine.

#include "storage/log_fixture.h"

namespace ringlog::storage {
namespace {

class write_test : public log_test {};

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
  EXPECT_TRUE(fs::exists(directory() + "/meta.properties"));

  start();
  EXPECT_FALSE(fs::exists(directory() + "/.kafka_cleanshutdown"));
  EXPECT_FALSE(fs::exists(directory() + "/meta.properties")) << "Kafka could start meanwhile";
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
