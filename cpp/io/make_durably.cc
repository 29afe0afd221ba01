#include "io/make_durably.h"

namespace ringlog::io {

status make_durably(file_system& disk, const std::string& path) {
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (there) return {};
  const std::string parent = parent_of(path);
  TRY(make_durably(disk, parent));
  TRY(disk.make_directories(path));
  return disk.sync_directory(parent);
}

}  // namespace ringlog::io
