#pragma once

#include "io/file.h"

namespace ringlog::io {

// The machine's own files. Descriptors are close-on-exec; interrupted calls are repeated, short
// reads and writes continued; every failure names the path and what to do about it. Stateless but
// for the process-wide registry of locks (io/record_lock.h), so any number may exist.
class posix_file_system final : public file_system {
 public:
  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override;
  result<std::unique_ptr<file>> open_direct(const std::string& path) override;
  result<std::unique_ptr<volume>> open_volume(const std::string& path) override;
  std::int64_t open_files_max() override;
  result<std::vector<directory_entry>> list(const std::string& path) override;
  result<std::vector<directory_entry>> list_names(const std::string& path) override;
  result<bool> exists(const std::string& path) override;
  status make_directories(const std::string& path) override;
  status rename(const std::string& source, const std::string& target) override;
  status remove(const std::string& path) override;
  status remove_tree(const std::string& path) override;
  status sync_directory(const std::string& path) override;
  result<std::unique_ptr<file_lock>> lock(const std::string& path) override;
  result<space> measure_space(const std::string& path) override;
  result<identity> identify(const std::string& path) override;
};

}  // namespace ringlog::io
