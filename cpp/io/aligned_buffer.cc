#include "io/aligned_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace ringlog::io {

result<aligned_buffer> aligned_buffer::make(std::size_t size) {
  aligned_buffer made;
  if (size == 0) return made;
  const std::size_t whole = align_up(size);
  void* memory = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return error_from_errno(errno, "reserve", fmt::format("{} bytes of memory", whole));
  }
  CHECK(::madvise(memory, whole, MADV_DONTFORK) == 0, "madvise(MADV_DONTFORK), errno", errno);
  made.data_ = static_cast<std::byte*>(memory);
  made.size_ = whole;
  made.owner_ = ::getpid();
  return made;
}

aligned_buffer::~aligned_buffer() {
  // In a forked child something else may live at this address by now.
  if (data_ != nullptr && owner_ == ::getpid()) ::munmap(data_, size_);
}

}  // namespace ringlog::io
