#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "model/batch_builder.h"

namespace ringlog::client {

// Builders whose batches are done, kept with their memory for the next batches: fresh memory of
// that size costs more in page faults than encoding the records. Any thread.
class builder_store {
 public:
  model::batch_builder take(std::size_t bytes_expected) {
    {
      const std::lock_guard guard(mutex_);
      if (!spare_.empty()) {
        model::batch_builder kept = std::move(spare_.back());
        spare_.pop_back();
        bytes_ -= kept.capacity();
        return kept;
      }
    }
    return model::batch_builder(bytes_expected);
  }

  void give(model::batch_builder builder) {
    builder.clear();
    const std::lock_guard guard(mutex_);
    if (builder.capacity() == 0 || bytes_ + builder.capacity() > bytes_max) return;
    bytes_ += builder.capacity();
    spare_.push_back(std::move(builder));
  }

 private:
  static constexpr std::size_t bytes_max = 8 * 1024 * 1024;

  std::mutex mutex_;
  std::vector<model::batch_builder> spare_;
  std::size_t bytes_ = 0;
};

}  // namespace ringlog::client
