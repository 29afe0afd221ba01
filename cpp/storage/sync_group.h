#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"
#include "io/file.h"

namespace ringlog::storage {

// Files and directories that become durable together: a few one by one, many by one sync of the
// whole file system, which takes a part of the time. One thread at a time.
class sync_group {
 public:
  // `whole` is the file system, opened before the first write to any of the files; null where it
  // cannot be synced as a whole. Up to `single_max` files and directories are synced one by one.
  explicit sync_group(io::file_system& disk, io::volume* whole = nullptr,
                      std::size_t single_max = limits::single_syncs_max)
      : disk_(&disk), whole_(whole), single_max_(single_max) {}

  // A file that was written, and a directory in which names came, went or changed. One that is gone
  // by the time of sync() is passed over.
  void add_file(std::string path) { files_.insert(std::move(path)); }
  void add_directory(std::string path) { directories_.insert(std::move(path)); }

  // As io::replace_file, but the new content takes the old one's place in sync().
  status replace(const std::string& path, bytes_view content);

  // Takes over what the other one has.
  void add(sync_group&& other);

  bool is_empty() const { return files_.empty() && directories_.empty(); }

  // Blocks. Once.
  status sync();

 private:
  status sync_files();
  status sync_directories();

  io::file_system* disk_;
  io::volume* whole_;
  std::size_t single_max_;
  std::set<std::string> files_;
  std::set<std::string> directories_;
  std::vector<std::string> replaced_;
};

}  // namespace ringlog::storage
