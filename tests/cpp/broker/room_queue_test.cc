#include "broker/room_queue.h"

#include <gtest/gtest.h>

#include <vector>

#include "io/sim/world.h"

namespace ringlog::broker {
namespace {

class room_queue_test : public testing::Test {
 protected:
  static constexpr int partitions = 100;

  void let_all_wait() {
    for (int i = 0; i < partitions; ++i) {
      queue_->wait([this, i] {
        ++calls_;
        if (rooms_ == 0) return false;
        --rooms_;
        served_.push_back(i);
        return true;
      });
    }
  }

  io::sim::world world_{1};
  io::sim::actor& engine_ = world_.make_actor();
  std::shared_ptr<room_queue> queue_ = std::make_shared<room_queue>(engine_, world_.time());
  int rooms_ = 0;
  int calls_ = 0;
  std::vector<int> served_;
};

TEST_F(room_queue_test, without_room_one_tries_for_all) {
  let_all_wait();
  world_.run_for(milliseconds(40));
  EXPECT_GE(calls_, 15);
  EXPECT_LE(calls_, 20);
}

TEST_F(room_queue_test, all_are_asked_now_and_then) {
  let_all_wait();
  world_.run_for(milliseconds(60));  // their deadlines may have come
  EXPECT_GE(calls_, partitions);
}

TEST_F(room_queue_test, they_are_served_in_their_order) {
  let_all_wait();
  rooms_ = 3;
  world_.run_for(milliseconds(3));
  EXPECT_EQ(served_, (std::vector<int>{0, 1, 2}));
  rooms_ = partitions;
  world_.run_for(milliseconds(3));
  ASSERT_EQ(served_.size(), static_cast<std::size_t>(partitions));
  EXPECT_EQ(served_.back(), partitions - 1);
  const int calls = calls_;
  world_.run_for(milliseconds(100));
  EXPECT_EQ(calls_, calls) << "nobody waits any more";
}

}  // namespace
}  // namespace ringlog::broker
