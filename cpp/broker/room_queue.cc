#include "broker/room_queue.h"

#include <algorithm>
#include <iterator>
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
  const auto has_ended = [](callback<bool()>& go_on) { return go_on(); };
  if (++rounds_ % rounds_between_all == 0) {
    std::erase_if(line, has_ended);
  } else {
    while (!line.empty() && has_ended(line.front())) line.pop_front();
  }
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(line_, std::back_inserter(line));
    line_.swap(line);
    is_serving_ = !line_.empty();
    if (!is_serving_) return;
  }
  serve_later();
}

}  // namespace ringlog::broker
