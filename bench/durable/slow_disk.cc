// A file system with one file, `disk`, whose every flush takes so much longer. A loop device on
// that file, with a file system on it, is a disk with a slow flush: the kernel's block layer
// merges concurrent flushes there as it does on a real one.
//
// Usage: ringlog_bench_slow_disk BACKING_FILE MOUNT_POINT FLUSH_MICROSECONDS
// Serves until it gets SIGTERM or is unmounted.

#define FUSE_USE_VERSION 312
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr fuse_ino_t disk_inode = 2;
constexpr const char* disk_name = "disk";
constexpr double cached_seconds = 3600;
constexpr unsigned request_bytes_max = 1 << 20;

struct disk {
  int descriptor = -1;
  long flush_us = 0;
};

const disk& served(fuse_req_t request) { return *static_cast<disk*>(::fuse_req_userdata(request)); }

void reply_outcome(fuse_req_t request, bool good) { ::fuse_reply_err(request, good ? 0 : errno); }

struct stat attributes(fuse_req_t request, fuse_ino_t inode) {
  struct stat found {};
  ::fstat(served(request).descriptor, &found);
  if (inode == FUSE_ROOT_ID) {
    found.st_mode = S_IFDIR | 0700;
    found.st_nlink = 2;
  }
  found.st_ino = inode;
  return found;
}

void on_init(void*, fuse_conn_info* connection) {
  connection->max_write = request_bytes_max;
  connection->max_background = 64;
}

void on_lookup(fuse_req_t request, fuse_ino_t, const char* name) {
  if (std::strcmp(name, disk_name) != 0) {
    ::fuse_reply_err(request, ENOENT);
    return;
  }
  fuse_entry_param entry{};
  entry.ino = disk_inode;
  entry.attr = attributes(request, disk_inode);
  entry.attr_timeout = entry.entry_timeout = cached_seconds;
  ::fuse_reply_entry(request, &entry);
}

void on_getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  const struct stat found = attributes(request, inode);
  ::fuse_reply_attr(request, &found, cached_seconds);
}

void on_open(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  ::fuse_reply_open(request, file);
}

void on_read(fuse_req_t request, fuse_ino_t, size_t size, off_t at, fuse_file_info*) {
  thread_local std::vector<char> bytes(request_bytes_max);
  if (bytes.size() < size) bytes.resize(size);
  const ssize_t got = ::pread(served(request).descriptor, bytes.data(), size, at);
  if (got < 0) {
    ::fuse_reply_err(request, errno);
  } else {
    ::fuse_reply_buf(request, bytes.data(), static_cast<size_t>(got));
  }
}

void on_write(fuse_req_t request, fuse_ino_t, const char* bytes, size_t size, off_t at,
              fuse_file_info*) {
  const ssize_t written = ::pwrite(served(request).descriptor, bytes, size, at);
  if (written < 0) {
    ::fuse_reply_err(request, errno);
  } else {
    ::fuse_reply_write(request, static_cast<size_t>(written));
  }
}

void on_fsync(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) {
  const disk& disk = served(request);
  const bool good = ::fdatasync(disk.descriptor) == 0;
  const timespec pause{disk.flush_us / 1'000'000, disk.flush_us % 1'000'000 * 1'000};
  ::nanosleep(&pause, nullptr);
  reply_outcome(request, good);
}

void on_fallocate(fuse_req_t request, fuse_ino_t, int mode, off_t at, off_t length,
                  fuse_file_info*) {
  reply_outcome(request, ::fallocate(served(request).descriptor, mode, at, length) == 0);
}

int serve(disk& disk, char* program, const char* mount_point) {
  fuse_lowlevel_ops operations{};
  operations.init = on_init;
  operations.lookup = on_lookup;
  operations.getattr = on_getattr;
  operations.open = on_open;
  operations.read = on_read;
  operations.write = on_write;
  operations.fsync = on_fsync;
  operations.fallocate = on_fallocate;
  char* words[] = {program, nullptr};
  fuse_args arguments{1, words, 0};
  fuse_session* session = ::fuse_session_new(&arguments, &operations, sizeof operations, &disk);
  if (session == nullptr || ::fuse_set_signal_handlers(session) != 0 ||
      ::fuse_session_mount(session, mount_point) != 0) {
    return 1;
  }
  fuse_loop_config* threads = ::fuse_loop_cfg_create();
  const int outcome = ::fuse_session_loop_mt(session, threads);
  ::fuse_loop_cfg_destroy(threads);
  ::fuse_session_unmount(session);
  ::fuse_remove_signal_handlers(session);
  ::fuse_session_destroy(session);
  return outcome < 0 ? 1 : 0;
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: ringlog_bench_slow_disk BACKING_FILE MOUNT_POINT FLUSH_MICROSECONDS\n",
               stderr);
    return 2;
  }
  disk disk;
  disk.descriptor = ::open(words[1], O_RDWR | O_CLOEXEC);
  disk.flush_us = std::strtol(words[3], nullptr, 10);
  if (disk.descriptor < 0 || disk.flush_us <= 0) {
    std::perror(words[1]);
    return 1;
  }
  // Threads made later inherit both: the pause is as long as asked, and a disk does not wait for a
  // processor (where that is allowed).
  ::prctl(PR_SET_TIMERSLACK, 1);
  const sched_param priority{1};
  ::sched_setscheduler(0, SCHED_FIFO, &priority);
  return serve(disk, words[0], words[2]);
}
