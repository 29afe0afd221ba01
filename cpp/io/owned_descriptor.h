#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace ringlog::io {

// Owns a file descriptor; -1 is none.
class owned_descriptor {
 public:
  owned_descriptor() = default;
  explicit owned_descriptor(int number) : number_(number) {}
  owned_descriptor(owned_descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  owned_descriptor& operator=(owned_descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~owned_descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

  // Gives the descriptor up; the caller closes it or leaves it open for good.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

// Calls until it is not interrupted by a signal.
template <typename Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto outcome = call();
    if (outcome >= 0 || errno != EINTR) return outcome;
  }
}

}  // namespace ringlog::io
