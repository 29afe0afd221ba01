// Crash images of real runs: RINGLOG_IMAGES sets how many, RINGLOG_SEED which.

#include "crash_images.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

namespace ringlog::sim {
namespace {

constexpr std::uint64_t images_of_a_run = 100;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::strtoull(given, nullptr, 10);
}

class CrashImagesTest : public testing::Test {
 protected:
  CrashImagesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "ringlog-images-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    directory_ = name;
    std::printf("RINGLOG_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }
  ~CrashImagesTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<recorded_run> record() {
    return record_run(directory_ / std::to_string(++runs_), seed_);
  }

  const std::uint64_t seed_ = number_from_environment("RINGLOG_SEED", std::random_device()());
  io::sim::event_counts events_;

 private:
  std::filesystem::path directory_;
  int runs_ = 0;
};

TEST_F(CrashImagesTest, WhatWasAcknowledgedIsThere) {
  const std::uint64_t images = number_from_environment("RINGLOG_IMAGES", 200);
  for (std::uint64_t done = 0; done < images; done += images_of_a_run) {
    const auto run = record();
    for (std::uint64_t i = 0; i < std::min(images_of_a_run, images - done); ++i) {
      const violation found = check_image(*run, seed_ + done + i, events_);
      ASSERT_FALSE(found) << "image " << seed_ + done + i << ": " << *found;
    }
  }
  for (const auto& [name, count] : events_) {
    std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  }
  EXPECT_GT(events_["records promised"], images);
}

TEST_F(CrashImagesTest, NoticesThatNothingWasSynced) {
  const auto run = without_syncs(*record());
  violation found;
  for (std::uint64_t i = 0; i < images_of_a_run && !found; ++i) {
    found = check_image(*run, seed_ + i, events_);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace ringlog::sim
