#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "io/file.h"
#include "io/sim/stored_bytes.h"

namespace ringlog::io::sim {

class world;

// Failures that the disk deals out, each by its chance; a chance of 0 means never.
struct fault_plan {
  std::uint64_t read_error_one_in = 0;        // EIO
  std::uint64_t write_error_one_in = 0;       // EIO, with a part of it written
  std::uint64_t sync_error_one_in = 0;        // EIO; what was unsynced is partly lost for good
  std::uint64_t flipped_read_one_in = 0;      // a read answers with one bit wrong
  std::uint64_t capacity_bytes = UINT64_MAX;  // beyond it ENOSPC, with what fits written

  // Lies, to prove that a test would notice a sync that is missing: success, and nothing done.
  bool ignore_file_syncs = false;  // sync, and what write_durable adds to write
  bool ignore_directory_syncs = false;
};

// A moment just before or just after one operation that changes the disk.
struct crash_point {
  std::uint64_t number;  // counts from 0 over the disk's life
  // "write", "sync", "resize", "create", "rename", "remove", "make_directory", "sync_directory",
  // "sync_volume"; of a durable write "durable_write", then "durable_sync".
  std::string_view what;
  bool is_after;
  const std::string& path;
};

// A simulated disk: files and directories in memory, each with what programs see and what a crash
// leaves (io/sim/stored_bytes.h states the fault model of files).
//
// Names: a file or directory made, renamed or removed is so after a crash only when the directory
// that holds the name was synced since; else each such change survives or not by itself, but a
// rename within one directory happens wholly or not at all. Syncing a file does not sync its name.
//
// Machine: power_off() freezes what a crash would leave; every call from then on fails and changes
// nothing. power_on() resolves the crash; files opened before stay useless, locks are free.
// One thread only. Outlives its files.
class disk final : public file_system {
 public:
  explicit disk(world& home);
  ~disk() override;

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

  fault_plan faults;

  // Called at every crash point; may call power_off().
  std::function<void(const crash_point&)> observer;

  void power_off();
  bool is_off() const { return off_; }
  void power_on();

  // One bit of the file, in this range, is wrong from now on.
  status decay(const std::string& path, std::uint64_t position = 0,
               std::uint64_t size = UINT64_MAX);

  // What all files take, reserved space included.
  std::uint64_t used_bytes() const;

  // Operations, faults and crash outcomes so far, by name.
  const event_counts& events() const { return events_; }
  std::uint64_t crash_points() const { return crash_points_; }

 private:
  friend class disk_file;
  friend class disk_volume;
  struct node;
  struct held_lock;
  using node_ptr = std::shared_ptr<node>;

  // The parent's node and the last name of a path.
  struct place {
    node_ptr parent;
    std::string name;
  };

  template <typename Effect>
  status change(std::string_view what, const std::string& path, Effect effect);
  status check_on(std::string_view what, const std::string& path);
  void reach(std::string_view what, bool is_after, const std::string& path);
  bool strikes(std::uint64_t one_in, std::string_view event);
  std::uint64_t free_bytes() const;
  error full(std::string_view what, const std::string& path);

  result<node_ptr> find(const std::string& path, std::string_view what);
  result<place> find_place(const std::string& path, std::string_view what);
  node_ptr make_node(bool is_directory);
  std::uint64_t used_bytes(const node& top) const;
  void crash(node& top);

  world& world_;
  node_ptr root_;
  std::uint64_t next_inode_ = 1;
  std::uint64_t boots_ = 0;         // files and locks of an earlier one are void
  std::uint64_t failed_syncs_ = 0;  // of files and of the whole; each volume reports the news
  bool off_ = false;
  std::map<std::uint64_t, std::uint64_t> locked_;  // inode -> boot
  event_counts events_;
  std::uint64_t crash_points_ = 0;
};

// An open file of a simulated disk.
class disk_file final : public file {
 public:
  ~disk_file() override;

  result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override;
  status write_at(std::uint64_t position, bytes_view source) override;
  status sync() override;
  status resize(std::uint64_t size) override;
  status reserve(std::uint64_t size) override;
  result<std::uint64_t> size() const override;
  const std::string& path() const override { return path_; }
  int descriptor() const override { return -1; }

  // A write through an engine is under way while the answer lives (io/sim/stored_bytes.h).
  std::shared_ptr<const stored_bytes::write_under_way> begin_write(std::uint64_t position,
                                                                   byte_buffer bytes);

  // As engine::write with `durable`: afterwards these bytes and the size are durable, no others.
  status write_durable(std::uint64_t position, bytes_view source);

 private:
  friend class disk;
  disk_file(disk& home, std::shared_ptr<disk::node> content, std::string path, bool writable);

  status check(std::string_view what) const;
  std::uint64_t owned_bytes() const;
  status write_bytes(std::uint64_t position, bytes_view source);
  error fail_sync(std::string_view what);

  disk& disk_;
  std::shared_ptr<disk::node> node_;
  std::string path_;
  bool writable_;
  std::uint64_t boot_;
};

}  // namespace ringlog::io::sim
