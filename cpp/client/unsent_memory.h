#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "client/wait.h"

namespace ringlog::client {

// The bytes that a producer's unfinished batches may hold (buffer_memory). Any thread.
class unsent_memory {
 public:
  explicit unsent_memory(std::int64_t bytes_max) : left_(bytes_max) {}

  bool try_reserve(std::int64_t bytes) {
    if (left_.fetch_sub(bytes) >= bytes) return true;
    left_.fetch_add(bytes);
    return false;
  }

  void release(std::int64_t bytes);

  // Waits until something was released after the call began, or until `ready` says yes.
  template <typename Ready>
  status wait(const wait_limit& limit, Ready&& ready) {
    const auto point = std::make_shared<wait_point>();
    add(point);
    status waited;
    if (!ready()) waited = point->wait(limit);
    remove(point);
    return waited;
  }

 private:
  void add(const std::shared_ptr<wait_point>& point);
  void remove(const std::shared_ptr<wait_point>& point);

  std::atomic<std::int64_t> left_;
  std::atomic<std::int32_t> waiting_{0};
  std::mutex mutex_;
  std::vector<std::shared_ptr<wait_point>> points_;
};

}  // namespace ringlog::client
