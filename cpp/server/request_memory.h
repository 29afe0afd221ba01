#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "base/bytes.h"
#include "base/task.h"

namespace ringlog::server {

// The memory that all requests of a server take together, from their first byte to their answer.
// While it is full, frames are received one after another: one may go beyond the bound, the next
// when that one's request is over. So nobody waits for ever, and no more is taken than the bound
// and the largest frame.
//
// Any thread. Outlives its shares.
class request_memory {
 public:
  explicit request_memory(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

  // What one request has taken; given back when it dies.
  class share {
   public:
    explicit share(request_memory& owner) : owner_(&owner) {}
    share(share&& other) noexcept;  // the other begins anew
    share& operator=(share&&) = delete;
    ~share();

    // False when the memory is full: ask again when when_room() says so.
    bool grow(std::int64_t bytes);

   private:
    request_memory* owner_;
    std::int64_t bytes_ = 0;
    bool is_beyond_ = false;
  };

  // Runs `ask_again` once, maybe at once, on any thread and inside any call, when growing may be
  // tried again. Who is called and has no use for it calls pass_on().
  void when_room(task ask_again);
  void pass_on();

  std::int64_t bytes() const;

 private:
  bool has_room() const { return bytes_ < bytes_max_ || !is_beyond_; }

  const std::int64_t bytes_max_;
  mutable std::mutex mutex_;  // guards what follows
  std::int64_t bytes_ = 0;
  bool is_beyond_ = false;  // a share has gone beyond the bound
  std::deque<task> waiting_;
};

// A request as it came, without its length, and the memory that it takes.
struct frame {
  byte_buffer bytes;
  request_memory::share memory;
};

}  // namespace ringlog::server
