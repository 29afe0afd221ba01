#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// Files through one small interface. Production: io/posix_file_system.h. Simulation: io/sim, where
// unsynced writes are lost at a crash. Calls here block; what must not block a thread goes through
// io/engine.h.
namespace ringlog::io {

enum class open_mode : std::uint8_t {
  read,        // must exist; writes fail
  read_write,  // must exist
  create,      // made empty when missing
  create_new,  // must not exist
};

// An open file, closed by its destructor. Positions are explicit, so calls on different ranges may
// run on different threads at once.
class file {
 public:
  virtual ~file() = default;

  // Reads until `target` is full or the file ends; returns the bytes read.
  virtual result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) = 0;

  // Writes all of `source` into the page cache; durable only after sync().
  virtual status write_at(std::uint64_t position, bytes_view source) = 0;

  // What was written before this call is durable after it, size included (fdatasync). A failure is
  // final: the kernel may have dropped the pages, so a second try proves nothing.
  virtual status sync() = 0;

  // Cuts or extends (with zeros).
  virtual status resize(std::uint64_t size) = 0;

  // Reserves disk space for [0, size) without changing the file's size.
  virtual status reserve(std::uint64_t size) = 0;

  virtual result<std::uint64_t> size() const = 0;

  virtual const std::string& path() const = 0;

  // The descriptor for the engines; -1 in simulation.
  virtual int descriptor() const = 0;
};

struct directory_entry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
};

// The lock of a directory; released by its destructor.
class file_lock {
 public:
  virtual ~file_lock() = default;
};

// One disk. Callable from any thread. Paths are absolute or relative to the working directory at
// the time of the call; callers resolve once.
class file_system {
 public:
  virtual ~file_system() = default;

  virtual result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) = 0;

  virtual result<std::vector<directory_entry>> list(const std::string& path) = 0;

  virtual result<bool> exists(const std::string& path) = 0;

  // With parents; no failure when it is there. Durable after sync_directory of the parent.
  virtual status make_directories(const std::string& path) = 0;

  // Replaces the target atomically. Durable after sync_directory of the parent.
  virtual status rename(const std::string& source, const std::string& target) = 0;

  // A file, or an empty directory. Not-found is a failure.
  virtual status remove(const std::string& path) = 0;

  // A directory with all it holds; no failure when it is not there.
  virtual status remove_tree(const std::string& path) = 0;

  // Names created, renamed or removed in this directory before the call are durable after it.
  virtual status sync_directory(const std::string& path) = 0;

  // Takes the POSIX record lock that Java's FileChannel takes on the whole of `path` (made when
  // missing), once per file and process. error_code::locked names the owner's pid.
  virtual result<std::unique_ptr<file_lock>> lock(const std::string& path) = 0;

  virtual result<std::uint64_t> available_bytes(const std::string& path) = 0;

  // Canonical identity of a directory: the same for every path that leads to it.
  struct identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    auto operator<=>(const identity&) const = default;
  };
  virtual result<identity> identify(const std::string& path) = 0;
};

// Reads a whole file of at most `bytes_max`.
result<byte_buffer> read_file(file_system& disk, const std::string& path, std::int64_t bytes_max);

// Writes `path`.tmp, syncs it, renames it over `path`, syncs the directory: after success the new
// content is durable, after a crash either the old or the new one is there.
status replace_file(file_system& disk, const std::string& path, bytes_view content);

// "a/b/c" -> "a/b"; "c" -> ".".
std::string parent_of(const std::string& path);

}  // namespace ringlog::io
