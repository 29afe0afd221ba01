#include "server/request_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace ringlog::server {
namespace {

TEST(RequestMemory, GivesBackWhatASharesOwnerHad) {
  request_memory memory(100);
  {
    request_memory::share one(memory);
    EXPECT_TRUE(one.grow(60));
    request_memory::share moved = std::move(one);
    EXPECT_TRUE(moved.grow(10));
    EXPECT_TRUE(one.grow(5)) << "what was moved from begins anew";
    EXPECT_EQ(memory.bytes(), 75);
  }
  EXPECT_EQ(memory.bytes(), 0);
}

TEST(RequestMemory, BeyondTheBoundOneAtATimeGoesOn) {
  request_memory memory(100);
  auto first = std::make_unique<request_memory::share>(memory);
  auto second = std::make_unique<request_memory::share>(memory);
  EXPECT_TRUE(first->grow(100));
  EXPECT_TRUE(first->grow(50));
  EXPECT_TRUE(first->grow(50));
  EXPECT_FALSE(second->grow(1));
  EXPECT_EQ(memory.bytes(), 200);
  first.reset();
  EXPECT_TRUE(second->grow(1));
  EXPECT_EQ(memory.bytes(), 1);
}

TEST(RequestMemory, WakesThoseThatWaitInTheirOrder) {
  request_memory memory(10);
  auto holder = std::make_unique<request_memory::share>(memory);
  EXPECT_TRUE(holder->grow(10));
  EXPECT_TRUE(holder->grow(1));
  std::vector<int> woken;
  std::vector<request_memory::share> taken;
  for (int i = 0; i < 3; ++i) {
    memory.when_room([&, i] {
      woken.push_back(i);
      request_memory::share mine(memory);
      EXPECT_TRUE(mine.grow(1));
      taken.push_back(std::move(mine));
    });
  }
  EXPECT_TRUE(woken.empty());
  holder.reset();
  EXPECT_EQ(woken, (std::vector{0, 1, 2}));
  EXPECT_EQ(memory.bytes(), 3);
}

TEST(RequestMemory, OneThatHasNoUseForItPassesOn) {
  request_memory memory(10);
  auto holder = std::make_unique<request_memory::share>(memory);
  EXPECT_TRUE(holder->grow(10));
  EXPECT_TRUE(holder->grow(1));
  bool woken = false;
  memory.when_room([&] { memory.pass_on(); });
  memory.when_room([&] { woken = true; });
  holder.reset();
  EXPECT_TRUE(woken);
}

}  // namespace
}  // namespace ringlog::server
