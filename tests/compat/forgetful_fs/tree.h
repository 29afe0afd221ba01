#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "paged_bytes.h"

namespace forgetful {

// How often each thing happened, by name.
using event_counts = std::map<std::string, std::uint64_t>;

// A file or directory twice: as programs see it, and as a power cut would leave it.
struct node {
  using names = std::map<std::string, std::shared_ptr<node>>;

  // Names given or (null) taken away in this directory by one operation.
  using name_change = std::vector<std::pair<std::string, std::shared_ptr<node>>>;

  std::uint64_t number = 0;
  bool is_directory = false;
  mode_t mode = 0;
  timespec changed{};
  std::uint64_t lookups = 0;  // the kernel's references

  paged_bytes seen;
  paged_bytes durable;
  std::set<std::uint64_t> dirty_pages;

  names children;
  names durable_children;
  std::vector<name_change> pending_names;
};
using node_ptr = std::shared_ptr<node>;

// All files and directories, in memory. What is durable:
//  - a file's bytes and size: when the file was synced, or were written with O_DSYNC (those pages);
//  - a name (made, renamed, removed): when the directory that holds it was synced. Syncing a file
//    does not sync its name.
// Kinder file systems exist; programs must not lean on their kindness. One thread.
class tree {
 public:
  static constexpr std::uint64_t root_number = 1;  // as FUSE has it

  tree();

  node_ptr find(std::uint64_t number) const;  // null: not there
  node_ptr make(node& parent, const std::string& name, bool is_directory, mode_t mode);
  void change_names(node& directory, node::name_change change);

  void write(node& file, std::uint64_t position, std::string_view source);
  void resize(node& file, std::uint64_t size);

  void sync(node& file);
  void sync_range(node& file, std::uint64_t position, std::uint64_t size);
  void sync_names(node& directory);

  // The power fails and comes back. Without a seed all that was not synced is gone; with one each
  // change of a name, each 4 KiB page and each change of size is gone or not, by its own dice.
  // Files opened before are void: generation() is another.
  void forget(std::optional<std::uint64_t> seed);
  std::uint64_t generation() const { return generation_; }

  // Drops what neither a name nor the kernel refers to.
  void collect();

  event_counts events;

 private:
  void forget_names(node& directory, std::mt19937_64* dice);
  void forget_bytes(node& file, std::mt19937_64* dice);

  std::map<std::uint64_t, node_ptr> nodes_;
  std::uint64_t next_number_ = root_number;
  std::uint64_t generation_ = 1;
};

}  // namespace forgetful
