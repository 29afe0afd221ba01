#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "io/file.h"

namespace ringlog::io {

class memory_content;

// A disk in RAM, for `memory:` logs: everything is gone with this object. Syncing succeeds at
// once. Sparse: what was never written costs nothing. Callable from any thread.
//
// It can also stand before another disk, to try on what that one holds: see take_in().
class memory_file_system final : public file_system {
 public:
  memory_file_system();
  ~memory_file_system() override;

  // Takes in the directory of another disk with all that is below it: its names now, its bytes
  // each time they are read. Nobody may change them there meanwhile; what is changed here stays
  // here. `source` outlives this object and its files. Nothing happens when it has no `path`.
  status take_in(file_system& source, const std::string& path);

  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override;
  result<std::unique_ptr<volume>> open_volume(const std::string& path) override;
  result<std::vector<directory_entry>> list(const std::string& path) override;
  result<bool> exists(const std::string& path) override;
  status make_directories(const std::string& path) override;
  status rename(const std::string& source, const std::string& target) override;
  status remove(const std::string& path) override;
  status remove_tree(const std::string& path) override;
  status sync_directory(const std::string& path) override;
  result<std::unique_ptr<file_lock>> lock(const std::string& path) override;
  result<space> measure_space(const std::string& path) override;
  result<identity> identify(const std::string& path) override;

 private:
  struct entry {
    std::uint64_t inode = 0;
    std::shared_ptr<memory_content> content;  // none: a directory
    std::string origin = {};  // of a file that was taken in: its path on the other disk
    bool is_directory() const { return content == nullptr; }
  };
  using entries = std::map<std::string, entry>;
  struct locks;

  // Under mutex_.
  entry* find(const std::string& path);
  bool has_children(const std::string& path) const;
  void insert(const std::string& path, std::shared_ptr<memory_content> content);
  std::pair<entries::iterator, entries::iterator> below(const std::string& path);

  std::mutex mutex_;
  entries entries_;  // by normal path: absolute, no "." and "..", no slash at the end
  std::uint64_t next_inode_ = 1;
  file_system* source_ = nullptr;  // of what was taken in
  std::shared_ptr<locks> locks_;
};

}  // namespace ringlog::io
