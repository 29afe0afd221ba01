#pragma once

#include <utility>

#include "io/fork_closed.h"
#include "io/owned_descriptor.h"

namespace ringlog::io {

// Owns a socket, of which a forked child keeps no copy. There this owns nothing.
class socket_descriptor {
 public:
  socket_descriptor() = default;
  explicit socket_descriptor(owned_descriptor made) : number_(made.release()) {
    if (number_ >= 0) close_when_forked(number_);
  }
  socket_descriptor(socket_descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  socket_descriptor& operator=(socket_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~socket_descriptor() {
    if (number_ >= 0 && keep_when_forked(number_)) ::close(number_);
  }

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

}  // namespace ringlog::io
