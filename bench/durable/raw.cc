// The floor: durable writes, and reads, without any log.

#include <fmt/format.h>
#include <liburing.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/limits.h"
#include "measure.h"
#include "raw_file.h"

namespace ringlog::bench {
namespace {

void write_blocking(raw_file& file, aligned_buffer& block, steady::time_point end,
                    latencies& took) {
  const iovec part{block.data(), block.size()};
  const auto size = static_cast<std::int64_t>(block.size());
  for (auto before = steady::now(); before < end;) {
    if (::pwritev2(file.descriptor(), &part, 1, file.next(size), RWF_DSYNC) != size) {
      fail(fmt::format("a raw write failed: {}", std::strerror(errno)));
    }
    const auto after = steady::now();
    took.add(after - before);
    before = after;
  }
}

// Keeps `depth` durable writes of one registered buffer going in one registered file.
class write_ring {
 public:
  write_ring(raw_file& file, aligned_buffer& block, unsigned depth)
      : file_(file), block_(block), began_(depth) {
    check(::io_uring_queue_init(depth, &ring_, 0), "io_uring");
    const int descriptor = file.descriptor();
    check(::io_uring_register_files(&ring_, &descriptor, 1), "registering the file");
    const iovec part{block.data(), block.size()};
    check(::io_uring_register_buffers(&ring_, &part, 1), "registering the buffer");
  }
  ~write_ring() { ::io_uring_queue_exit(&ring_); }
  write_ring(const write_ring&) = delete;
  write_ring& operator=(const write_ring&) = delete;

  void run(steady::time_point end, latencies& took) {
    unsigned in_flight = 0;
    while (in_flight < began_.size()) start(in_flight++);
    while (in_flight > 0) {
      check(::io_uring_submit_and_wait(&ring_, 1), "submitting");
      io_uring_cqe* done = nullptr;
      while (::io_uring_peek_cqe(&ring_, &done) == 0) {
        const auto slot = static_cast<unsigned>(done->user_data);
        check(done->res, "a raw write");
        if (static_cast<std::size_t>(done->res) != block_.size()) fail("a raw write was short");
        ::io_uring_cqe_seen(&ring_, done);
        const auto now = steady::now();
        took.add(now - began_[slot]);
        --in_flight;
        if (now >= end) continue;
        start(slot);
        ++in_flight;
      }
    }
  }

 private:
  static void check(int outcome, std::string_view what) {
    if (outcome >= 0) return;
    if (what == "io_uring") skip(fmt::format("io_uring is refused: {}", std::strerror(-outcome)));
    fail(fmt::format("{} failed: {}", what, std::strerror(-outcome)));
  }

  void start(unsigned slot) {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    const auto at = file_.next(static_cast<std::int64_t>(block_.size()));
    ::io_uring_prep_write_fixed(entry, 0, block_.data(), static_cast<unsigned>(block_.size()),
                                static_cast<std::uint64_t>(at), 0);
    entry->flags |= IOSQE_FIXED_FILE;
    entry->rw_flags = RWF_DSYNC;
    entry->user_data = slot;
    began_[slot] = steady::now();
  }

  raw_file& file_;
  aligned_buffer& block_;
  io_uring ring_{};
  std::vector<steady::time_point> began_;  // by slot
};

}  // namespace

// block: bytes of a write; depth: writes in flight by io_uring, 0: blocking pwritev2.
void raw_write(const parameters& given, report& figures) {
  raw_file file(given.folder(), given.number("file_bytes"));
  aligned_buffer block(static_cast<std::size_t>(given.number("block")));
  latencies took;
  usage used;
  used.begin();
  const auto end = end_after(given.seconds());
  if (const auto depth = given.number("depth"); depth == 0) {
    write_blocking(file, block, end, took);
  } else {
    write_ring(file, block, static_cast<unsigned>(depth)).run(end, took);
  }
  const auto writes = static_cast<std::int64_t>(took.count());
  used.end(figures, writes, writes, writes * static_cast<std::int64_t>(block.size()));
  took.report_to(figures, "write");
}

// Sequential reads of 1 MiB past the page cache (where the file system has O_DIRECT).
void raw_read(const parameters& given, report& figures) {
  raw_file file(given.folder(), given.number("file_bytes"));
  aligned_buffer block(limits::MiB);
  usage used;
  used.begin();
  const auto end = end_after(given.seconds());
  std::int64_t reads = 0;
  for (; steady::now() < end; ++reads) {
    if (::pread(file.descriptor(), block.data(), block.size(), file.next(limits::MiB)) !=
        limits::MiB) {
      fail(fmt::format("a raw read failed: {}", std::strerror(errno)));
    }
  }
  used.end(figures, reads, reads, reads * limits::MiB);
}

}  // namespace ringlog::bench
