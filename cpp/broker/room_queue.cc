#include "broker/room_queue.h"

#include <utility>

namespace ringlog::broker {

namespace {
constexpr milliseconds retry_interval{2};
constexpr int rounds_between_all = 25;
}  // namespace

void room_queue::wait(callback<bool()> go_on) {
  {
    const std::lock_guard lock(mutex_);
    line_.push_back(std::move(go_on));
    if (std::exchange(is_serving_, true)) return;
  }
  serve_later();
}

void room_queue::serve_later() {
  engine_.schedule_at(time_.now() + retry_interval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->serve();
  });
}

void room_queue::serve() {
  std::deque<callback<bool()>> line;
  {
    const std::lock_guard lock(mutex_);
    line.swap(line_);
  }
  const bool asks_all = ++rounds_ % rounds_between_all == 0;
  std::deque<callback<bool()>> still_waiting;
  while (!line.empty()) {
    if (!line.front()()) {
      if (!asks_all) break;
      still_waiting.push_back(std::move(line.front()));
    }
    line.pop_front();
  }
  for (auto& each : line) still_waiting.push_back(std::move(each));
  {
    const std::lock_guard lock(mutex_);
    for (auto& each : line_) still_waiting.push_back(std::move(each));
    line_.swap(still_waiting);
    is_serving_ = !line_.empty();
    if (!is_serving_) return;
  }
  serve_later();
}

}  // namespace ringlog::broker
