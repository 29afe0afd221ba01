#include "io/file.h"

namespace ringlog::io {

result<byte_buffer> read_file(file_system& disk, const std::string& path, std::int64_t bytes_max) {
  TRY_ASSIGN(const std::unique_ptr<file> source, disk.open(path, open_mode::read));
  TRY_ASSIGN(const std::uint64_t size, source->size());
  if (size > static_cast<std::uint64_t>(bytes_max)) {
    return make_error(error_code::corrupt,
                      "{} has {} bytes, more than the {} that such a file may have", path, size,
                      bytes_max);
  }
  byte_buffer content(size);
  TRY_ASSIGN(const std::size_t filled, source->read_at(0, content));
  content.resize(filled);
  return content;
}

status write_file(file_system& disk, const std::string& path, bytes_view content) {
  TRY_ASSIGN(const std::unique_ptr<file> target, disk.open(path, open_mode::create));
  TRY(target->resize(0));
  return target->write_at(0, content);
}

status replace_file(file_system& disk, const std::string& path, bytes_view content) {
  const std::string temporary = path + ".tmp";
  {
    TRY_ASSIGN(const std::unique_ptr<file> target, disk.open(temporary, open_mode::create));
    TRY(target->resize(0));
    TRY(target->write_at(0, content));
    TRY(target->sync());
  }
  TRY(disk.rename(temporary, path));
  return disk.sync_directory(parent_of(path));
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace ringlog::io
