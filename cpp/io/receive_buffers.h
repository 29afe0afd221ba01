#pragma once

#include <liburing.h>

#include "io/aligned_buffer.h"

namespace ringlog::io {

// limits::receive_buffers buffers of which the kernel takes one when bytes arrive, so that a
// connection that waits for bytes has none (IORING_REGISTER_PBUF_RING, Linux 5.19). Only the list
// of them is registered memory, a page or less. Owned by the driver of one ring; its thread only.
class receive_buffers {
 public:
  // Fails where the kernel has no such lists or refuses the memory.
  static result<receive_buffers> make(io_uring& ring);

  static constexpr unsigned short group = 0;

  bytes_view view(unsigned short number, std::size_t size) const;

  // The kernel may use it again.
  void give_back(unsigned short number);

 private:
  receive_buffers() = default;

  aligned_buffer list_;  // an io_uring_buf_ring; the kernel's as long as the ring lives
  aligned_buffer bytes_;
};

}  // namespace ringlog::io
