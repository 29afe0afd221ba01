#include "raw_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/limits.h"
#include "base/random.h"
#include "measure.h"

namespace ringlog::bench {
namespace {

constexpr std::size_t page = 4096;
constexpr std::int64_t prewrite_block = limits::MiB;
constexpr std::int64_t flush_file_bytes = 4 * limits::MiB;
constexpr double flush_seconds_max = 0.2;

}  // namespace

raw_file::raw_file(const std::string& folder, std::int64_t size)
    : path_(folder + "/raw"), size_(size) {
  constexpr int flags = O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC;
  descriptor_ = ::open(path_.c_str(), flags | O_DIRECT, 0600);
  if (descriptor_ < 0 && errno == EINVAL) {
    direct_ = false;
    descriptor_ = ::open(path_.c_str(), flags, 0600);
  }
  if (descriptor_ < 0) fail(fmt::format("{}: {}", path_, std::strerror(errno)));
  aligned_buffer block(prewrite_block);
  for (std::int64_t at = 0; at < size; at += prewrite_block) {
    if (::pwrite(descriptor_, block.data(), block.size(), at) != prewrite_block) {
      fail(fmt::format("{}: cannot be prewritten: {}", path_, std::strerror(errno)));
    }
  }
  if (::fsync(descriptor_) != 0) fail(fmt::format("{}: {}", path_, std::strerror(errno)));
}

raw_file::~raw_file() {
  ::close(descriptor_);
  ::unlink(path_.c_str());
}

std::int64_t raw_file::next(std::int64_t block) {
  if (position_ + block > size_) position_ = 0;
  const std::int64_t at = position_;
  position_ += block;
  return at;
}

aligned_buffer::aligned_buffer(std::size_t size)
    : size_(size), data_(static_cast<std::byte*>(::operator new(size, std::align_val_t{page}))) {
  seeded_random random(1);
  std::generate(data_, data_ + size, [&] { return static_cast<std::byte>(random.next()); });
}

aligned_buffer::~aligned_buffer() { ::operator delete(data_, std::align_val_t{page}); }

void report_raw_flush(const parameters& given, report& figures) {
  raw_file file(given.folder(), flush_file_bytes);
  aligned_buffer block(page);
  latencies took;
  const auto end = end_after(std::min(flush_seconds_max, given.seconds() / 4));
  for (auto before = steady::now(); before < end;) {
    const iovec part{block.data(), block.size()};
    if (::pwritev2(file.descriptor(), &part, 1, file.next(page), RWF_DSYNC) != page) {
      fail(fmt::format("a raw write failed: {}", std::strerror(errno)));
    }
    const auto after = steady::now();
    took.add(after - before);
    before = after;
  }
  took.report_to(figures, "raw_flush");
  figures.add("direct", file.direct() ? 1 : 0);
}

}  // namespace ringlog::bench
