// What a caller's wait promises, looked for awake or asleep: no signal is lost, the limit holds.

#include "client/wait.h"

#include <gtest/gtest.h>

#include <thread>

namespace ringlog::client {
namespace {

constexpr milliseconds patience{10'000};

TEST(WaitTest, RemembersASignalThatCameBefore) {
  wait_point point;
  point.signal();
  point.signal();
  EXPECT_TRUE(point.wait(wait_limit::after(patience)).ok());
  EXPECT_EQ(point.wait(wait_limit::after(milliseconds{1})).code(), error_code::timed_out)
      << "a signal ends one wait";
}

TEST(WaitTest, EndsAtTheLimitAndAsksInBetween) {
  wait_point point;
  EXPECT_EQ(point.wait(wait_limit::after(milliseconds{0})).code(), error_code::timed_out);

  int asked = 0;
  callback<status()> interrupted = [&]() -> status {
    if (++asked < 2) return {};
    return make_error(error_code::closed, "interrupted");
  };
  const status outcome = point.wait(wait_limit::after(patience, &interrupted));
  EXPECT_EQ(outcome.code(), error_code::closed);
  EXPECT_EQ(asked, 2);
}

// Two threads wait for each other in turn: quickly, so that they look, then with pauses longer than
// they look, so that they sleep, then quickly again.
TEST(WaitTest, LosesNoSignalLookingOrAsleep) {
  wait_point there;
  wait_point back;
  constexpr int rounds = 3'000;
  const auto pause_in = [](int round) {
    return round % 1'500 < 30 ? 2 * wait_point::look_max : std::chrono::microseconds{0};
  };
  std::thread other([&] {
    for (int round = 0; round < rounds; ++round) {
      if (!there.wait(wait_limit::after(patience)).ok()) return;
      if (const auto pause = pause_in(round); pause.count() > 0) std::this_thread::sleep_for(pause);
      back.signal();
    }
  });
  int answered = 0;
  for (; answered < rounds; ++answered) {
    there.signal();
    if (!back.wait(wait_limit::after(patience)).ok()) break;
  }
  other.join();
  EXPECT_EQ(answered, rounds);
}

// What was written before the signal is seen after the wait, by each of several waiting threads.
TEST(WaitTest, ManyThreadsWaitEachForItsOwn) {
  constexpr int threads_max = 4;
  constexpr int rounds = 500;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < threads_max; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        auto pending = std::make_shared<pending_answer<int>>();
        std::thread answering([pending, round] { pending->complete(round); });
        const auto got = pending->wait(wait_limit::after(patience), "the answer");
        if (!got.ok() || *got != round) ++wrong;
        answering.join();
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace ringlog::client
