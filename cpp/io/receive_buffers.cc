#include "io/receive_buffers.h"

#include "io/network_limits.h"

namespace ringlog::io {
namespace {

constexpr unsigned count = limits::receive_buffers;
static_assert((count & (count - 1)) == 0, "the kernel wants a power of two");

io_uring_buf_ring* as_list(const aligned_buffer& memory) {
  return reinterpret_cast<io_uring_buf_ring*>(memory.data());
}

}  // namespace

result<receive_buffers> receive_buffers::make(io_uring& ring) {
  receive_buffers made;
  TRY_ASSIGN(made.list_, aligned_buffer::make(align_up(count * sizeof(io_uring_buf))));
  TRY_ASSIGN(made.bytes_, aligned_buffer::make(count * limits::receive_buffer_bytes));
  io_uring_buf_reg wanted{};
  wanted.ring_addr = reinterpret_cast<std::uintptr_t>(made.list_.data());
  wanted.ring_entries = count;
  wanted.bgid = group;
  const int outcome = io_uring_register_buf_ring(&ring, &wanted, 0);
  if (outcome < 0) return error_from_errno(-outcome, "register", "a list of receive buffers");
  io_uring_buf_ring_init(as_list(made.list_));
  for (unsigned i = 0; i < count; ++i) made.give_back(static_cast<unsigned short>(i));
  return made;
}

bytes_view receive_buffers::view(unsigned short number, std::size_t size) const {
  CHECK(number < count, "the kernel names a buffer that it was not given", number);
  CHECK(size <= limits::receive_buffer_bytes, "more bytes than the buffer has", size);
  return {bytes_.data() + number * limits::receive_buffer_bytes, size};
}

void receive_buffers::give_back(unsigned short number) {
  io_uring_buf_ring* list = as_list(list_);
  std::byte* start = bytes_.data() + number * limits::receive_buffer_bytes;
  io_uring_buf_ring_add(list, start, limits::receive_buffer_bytes, number,
                        io_uring_buf_ring_mask(count), 0);
  io_uring_buf_ring_advance(list, 1);
}

}  // namespace ringlog::io
