#pragma once

#include <sys/types.h>

#include <cstddef>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace ringlog::io {

// What O_DIRECT asks of positions, sizes and memory addresses: the largest logical block of today's
// disks, and the page of most machines.
inline constexpr std::size_t direct_alignment = 4096;

// Memory for files past the page cache (file::is_direct): aligned, all zero at first, freed by the
// destructor. A forked child does not get it (MADV_DONTFORK), since a fork during a direct read
// would leave one of the two with stale bytes: there the object may only be destroyed.
// Movable; any thread, one at a time.
class aligned_buffer {
 public:
  // At least `size` bytes, a whole number of direct_alignment.
  static result<aligned_buffer> make(std::size_t size);

  aligned_buffer() = default;
  aligned_buffer(aligned_buffer&& other) noexcept { swap(other); }
  aligned_buffer& operator=(aligned_buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~aligned_buffer();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  mutable_bytes bytes() const { return {data_, size_}; }

 private:
  void swap(aligned_buffer& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(owner_, other.owner_);
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  pid_t owner_ = 0;
};

// The smallest multiple of direct_alignment that is not below `size`.
constexpr std::size_t align_up(std::size_t size) {
  return (size + direct_alignment - 1) / direct_alignment * direct_alignment;
}

}  // namespace ringlog::io
