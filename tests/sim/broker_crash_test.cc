#include <gtest/gtest.h>

#include "broker_run.h"

// Canaries: each of these bugs must be noticed, else the runs of `simulate` prove nothing.
namespace ringlog::sim {
namespace {

violation play(std::uint64_t runs, const run_plan& plan) {
  io::sim::event_counts events;
  return find_violation(1, runs, events, [&](std::uint64_t seed, io::sim::event_counts& counts) {
    return play_broker(seed, plan, counts);
  });
}

TEST(BrokerCrashTest, KeepsItsPromises) { EXPECT_EQ(play(10, {}), std::nullopt); }

TEST(BrokerCrashTest, NoticesAnAcknowledgementBeforeTheSync) {
  EXPECT_NE(play(100, {.ack_at_once = true, .faults = {}}), std::nullopt);
}

TEST(BrokerCrashTest, NoticesFilesThatAreNotSynced) {
  EXPECT_NE(play(100, {.faults = {.ignore_file_syncs = true}}), std::nullopt);
}

TEST(BrokerCrashTest, NoticesDirectoriesThatAreNotSynced) {
  EXPECT_NE(play(100, {.faults = {.ignore_directory_syncs = true}}), std::nullopt);
}

TEST(BrokerCrashTest, TheSameSeedGivesTheSameRun) {
  io::sim::event_counts first;
  io::sim::event_counts second;
  EXPECT_EQ(play_broker(7, {}, first), play_broker(7, {}, second));
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace ringlog::sim
