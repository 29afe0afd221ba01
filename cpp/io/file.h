#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
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

  // Reads and writes go past the page cache (O_DIRECT): positions, sizes and memory are whole
  // multiples of direct_alignment (io/aligned_buffer.h).
  virtual bool is_direct() const { return false; }

  // For the engines: whether a write may ask to be durable itself (RWF_DSYNC). No longer once the
  // file system refused it (EOPNOTSUPP); from then on a durable write is a write and a sync.
  bool takes_durable_writes() const { return takes_durable_writes_; }
  void refuse_durable_writes() { takes_durable_writes_ = false; }

  // For the engines: the first durable write past the page cache is to be a blocking one. io_uring
  // loses the answer of a file system that refuses it there (FUSE, Linux 6.18).
  bool wants_trial() const { return is_direct() && takes_durable_writes_ && !tried_; }
  void note_trial() { tried_ = true; }

 private:
  std::atomic<bool> takes_durable_writes_{true};
  std::atomic<bool> tried_{false};
};

// A whole file system, to be made durable in one go: where many files are dirty that costs a small
// part of syncing each. Its failures are about everything on that file system, ours or not.
//
// Linux reports what write-back lost through syncfs since 5.8, once per open descriptor, and only
// what happened since that one was opened (errseq_t: mm/filemap.c, fs/sync.c). So open the volume
// before the first write that it shall vouch for, keep it, and ask no other.
class volume {
 public:
  virtual ~volume() = default;

  // What was written to any file and every name made before the call are durable after it. Blocks,
  // for long when others write much. A failure is final, as with file::sync, and may be of an
  // earlier write-back, of a file since closed or a sync that failed.
  virtual status sync() = 0;
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

  // An existing file for reading and writing past the page cache. Where the file system cannot do
  // that, as with open_mode::read_write: file::is_direct says which. Tried with a read at the
  // file's start, which proves nothing of an empty file.
  virtual result<std::unique_ptr<file>> open_direct(const std::string& path) {
    return open(path, open_mode::read_write);
  }

  // The file system that holds `path`. error_code::unsupported where it does not sync and report
  // errors as a whole, or the kernel is older than 5.8: sync each file and directory instead.
  virtual result<std::unique_ptr<volume>> open_volume(const std::string& path) {
    return make_error(error_code::unsupported, "{} cannot be synced as a whole", path);
  }

  // How many files this process may have open at once; the embedding program needs some of them.
  virtual std::int64_t open_files_max() { return std::numeric_limits<std::int64_t>::max(); }

  virtual result<std::vector<directory_entry>> list(const std::string& path) = 0;

  // The same without sizes, which would cost a call for each entry.
  virtual result<std::vector<directory_entry>> list_names(const std::string& path) {
    return list(path);
  }

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
  // missing), once per file and process. error_code::locked names the owner's pid; on a network
  // file system error_code::unsupported, so that nobody writes there.
  virtual result<std::unique_ptr<file_lock>> lock(const std::string& path) = 0;

  // Of the file system that holds `path`.
  struct space {
    std::uint64_t total_bytes = 0;
    std::uint64_t available_bytes = 0;  // to this process
  };
  virtual result<space> measure_space(const std::string& path) = 0;

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

// Makes `content` all that is in the file, made when missing. Not synced.
status write_file(file_system& disk, const std::string& path, bytes_view content);

// Writes `path`.tmp, syncs it, renames it over `path`, syncs the directory: after success the new
// content is durable, after a crash either the old or the new one is there.
status replace_file(file_system& disk, const std::string& path, bytes_view content);

// "a/b/c" -> "a/b"; "c" -> ".".
std::string parent_of(const std::string& path);

}  // namespace ringlog::io
