#include "client/partition_queue.h"
#include "client/producer.h"

namespace ringlog::client {

void batch_completion::when_done(callback<void()> call) {
  {
    const std::lock_guard guard(mutex_);
    if (!done() || calling_) {
      calls_.push_back(std::move(call));
      return;
    }
  }
  call();
}

status batch_completion::wait(const wait_limit& limit) {
  if (done()) return {};
  if (const auto sender = sender_.lock()) sender->send_now();
  if (done()) return {};
  const auto point = std::make_shared<wait_point>();
  when_done([point] { point->signal(); });
  return point->wait(limit);
}

void batch_completion::complete(offset_t base_offset, std::int64_t log_append_timestamp) {
  finish(std::nullopt, base_offset, log_append_timestamp);
}

void batch_completion::fail(error failure) { finish(std::move(failure), no_offset, no_timestamp); }

void batch_completion::finish(std::optional<error> failure, offset_t base_offset,
                              std::int64_t timestamp) {
  std::unique_lock guard(mutex_);
  if (done()) return;
  failure_ = std::move(failure);
  base_offset_ = base_offset;
  log_append_timestamp_ = timestamp;
  done_.store(true, std::memory_order_release);
  // What is registered while these run comes after them.
  calling_ = true;
  while (!calls_.empty()) {
    std::vector<callback<void()>> calls = std::exchange(calls_, {});
    guard.unlock();
    for (callback<void()>& call : calls) call();
    guard.lock();
  }
  calling_ = false;
}

}  // namespace ringlog::client
