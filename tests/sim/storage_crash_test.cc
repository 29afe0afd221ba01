#include <gtest/gtest.h>

#include "storage_run.h"

// Canaries: each of these bugs must be noticed, else the runs of `simulate` prove nothing.
namespace ringlog::sim {
namespace {

violation play(std::uint64_t runs, const run_plan& plan) {
  io::sim::event_counts events;
  return find_violation(1, runs, events, [&](std::uint64_t seed, io::sim::event_counts& counts) {
    return play_storage(seed, plan, counts);
  });
}

TEST(StorageCrashTest, KeepsItsPromises) { EXPECT_EQ(play(20, {}), std::nullopt); }

TEST(StorageCrashTest, NoticesAnAcknowledgementBeforeTheSync) {
  EXPECT_NE(play(100, {.ack_at_once = true, .faults = {}}), std::nullopt);
}

TEST(StorageCrashTest, NoticesFilesThatAreNotSynced) {
  EXPECT_NE(play(100, {.faults = {.ignore_file_syncs = true}}), std::nullopt);
}

TEST(StorageCrashTest, NoticesDirectoriesThatAreNotSynced) {
  EXPECT_NE(play(100, {.faults = {.ignore_directory_syncs = true}}), std::nullopt);
}

TEST(StorageCrashTest, TheSameSeedGivesTheSameRun) {
  io::sim::event_counts first;
  io::sim::event_counts second;
  EXPECT_EQ(play_storage(7, {}, first), play_storage(7, {}, second));
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace ringlog::sim
