#include "io/copy_file.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace ringlog::io {

namespace {

constexpr std::size_t piece_bytes = 1024 * 1024;

// Files in memory, other file systems and most of Linux's cannot; then it is copied.
bool share_blocks(const file& source, const file& target) {
  if (source.descriptor() < 0 || target.descriptor() < 0) return false;
  return ::ioctl(target.descriptor(), FICLONE, source.descriptor()) == 0;
}

status copy_bytes(file& source, file& target, std::uint64_t bytes) {
  byte_buffer piece(std::min<std::uint64_t>(piece_bytes, bytes));
  for (std::uint64_t done = 0; done < bytes;) {
    const mutable_bytes wanted =
        mutable_bytes(piece).first(std::min<std::uint64_t>(piece.size(), bytes - done));
    TRY_ASSIGN(const std::size_t got, source.read_at(done, wanted));
    if (got == 0) return {};  // it was cut meanwhile
    TRY(target.write_at(done, wanted.first(got)));
    done += got;
  }
  return {};
}

}  // namespace

status copy_file(file_system& source_disk, const std::string& source, file_system& target_disk,
                 const std::string& target, std::uint64_t bytes_max) {
  TRY_ASSIGN(const auto from, source_disk.open(source, open_mode::read));
  TRY_ASSIGN(const auto to, target_disk.open(target, open_mode::create_new));
  TRY_ASSIGN(const std::uint64_t size, from->size());
  const std::uint64_t wanted = std::min(size, bytes_max);
  if (!share_blocks(*from, *to)) TRY(copy_bytes(*from, *to, wanted));
  TRY_ASSIGN(const std::uint64_t copied, to->size());
  if (copied > wanted) TRY(to->resize(wanted));
  return to->sync();
}

}  // namespace ringlog::io
