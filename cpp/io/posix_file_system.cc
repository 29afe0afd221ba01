#include "io/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "io/aligned_buffer.h"
#include "io/file_system_type.h"
#include "io/owned_descriptor.h"
#include "io/record_lock.h"

namespace ringlog::io {
namespace {

class posix_file final : public file {
 public:
  posix_file(owned_descriptor opened, std::string path, bool is_direct = false)
      : descriptor_(std::move(opened)), path_(std::move(path)), is_direct_(is_direct) {}

  result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override {
    std::size_t filled = 0;
    while (filled < target.size()) {
      const ssize_t got = retry_interrupted([&] {
        return ::pread(descriptor_.number(), target.data() + filled, target.size() - filled,
                       static_cast<off_t>(position + filled));
      });
      if (got < 0) return error_from_errno(errno, "read", path_);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

  status write_at(std::uint64_t position, bytes_view source) override {
    std::size_t written = 0;
    while (written < source.size()) {
      const ssize_t got = retry_interrupted([&] {
        return ::pwrite(descriptor_.number(), source.data() + written, source.size() - written,
                        static_cast<off_t>(position + written));
      });
      if (got < 0) return error_from_errno(errno, "write", path_);
      if (got == 0) return error_from_errno(EIO, "write", path_);
      written += static_cast<std::size_t>(got);
    }
    return {};
  }

  status sync() override {
    if (retry_interrupted([&] { return ::fdatasync(descriptor_.number()); }) != 0) {
      return error_from_errno(errno, "sync", path_);
    }
    return {};
  }

  status resize(std::uint64_t size) override {
    if (retry_interrupted(
            [&] { return ::ftruncate(descriptor_.number(), static_cast<off_t>(size)); }) != 0) {
      return error_from_errno(errno, "resize", path_);
    }
    return {};
  }

  status reserve(std::uint64_t size) override {
    if (size == 0) return {};
    if (retry_interrupted([&] {
          return ::fallocate(descriptor_.number(), FALLOC_FL_KEEP_SIZE, 0,
                             static_cast<off_t>(size));
        }) == 0) {
      return {};
    }
    // A file system without reservations gives its space at the write.
    if (errno == EOPNOTSUPP || errno == ENOSYS) return {};
    return error_from_errno(errno, "reserve space for", path_);
  }

  result<std::uint64_t> size() const override {
    struct stat about {};
    if (::fstat(descriptor_.number(), &about) != 0) return error_from_errno(errno, "stat", path_);
    return static_cast<std::uint64_t>(about.st_size);
  }

  const std::string& path() const override { return path_; }
  int descriptor() const override { return descriptor_.number(); }
  bool is_direct() const override { return is_direct_; }

 private:
  owned_descriptor descriptor_;
  std::string path_;
  bool is_direct_;
};

class posix_volume final : public volume {
 public:
  posix_volume(owned_descriptor opened, std::string path)
      : descriptor_(std::move(opened)), path_(std::move(path)) {}

  status sync() override {
    if (retry_interrupted([&] { return ::syncfs(descriptor_.number()); }) != 0) {
      return error_from_errno(errno, "sync the file system of", path_);
    }
    return {};
  }

 private:
  owned_descriptor descriptor_;
  std::string path_;
};

// Some file systems take O_DIRECT at open and refuse the first transfer.
bool refuses_direct(int errno_value) { return errno_value == EINVAL || errno_value == EOPNOTSUPP; }

result<bool> reads_directly(const owned_descriptor& opened, const std::string& path) {
  TRY_ASSIGN(const aligned_buffer target, aligned_buffer::make(direct_alignment));
  const ssize_t got =
      retry_interrupted([&] { return ::pread(opened.number(), target.data(), target.size(), 0); });
  if (got < 0 && !refuses_direct(errno)) return error_from_errno(errno, "read", path);
  return got >= 0;
}

// Since Linux 5.8 syncfs reports what write-back lost.
bool syncfs_reports_errors() {
  utsname about{};
  int major = 0;
  int minor = 0;
  if (::uname(&about) != 0 || std::sscanf(about.release, "%d.%d", &major, &minor) != 2) {
    return false;
  }
  return std::pair(major, minor) >= std::pair(5, 8);
}

int flags_of(open_mode mode) {
  switch (mode) {
    case open_mode::read:
      return O_RDONLY;
    case open_mode::read_write:
      return O_RDWR;
    case open_mode::create:
      return O_RDWR | O_CREAT;
    case open_mode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

constexpr mode_t new_file_mode = 0644;

}  // namespace

result<std::unique_ptr<file>> posix_file_system::open(const std::string& path, open_mode mode) {
  owned_descriptor opened(retry_interrupted(
      [&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, new_file_mode); }));
  if (!opened.is_open()) return error_from_errno(errno, "open", path);
  return std::unique_ptr<file>(std::make_unique<posix_file>(std::move(opened), path));
}

result<std::unique_ptr<file>> posix_file_system::open_direct(const std::string& path) {
  owned_descriptor opened(
      retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC); }));
  bool is_direct = opened.is_open();
  if (!is_direct && !refuses_direct(errno)) return error_from_errno(errno, "open", path);
  if (is_direct) {
    TRY_ASSIGN(is_direct, reads_directly(opened, path));
  }
  if (!is_direct) return open(path, open_mode::read_write);
  return std::unique_ptr<file>(std::make_unique<posix_file>(std::move(opened), path, true));
}

result<std::unique_ptr<volume>> posix_file_system::open_volume(const std::string& path) {
  TRY_ASSIGN(const std::uint32_t type, file_system_type(path));
  if (!syncs_as_a_whole(type) || !syncfs_reports_errors()) return file_system::open_volume(path);
  owned_descriptor opened(
      retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!opened.is_open()) return error_from_errno(errno, "open", path);
  return std::unique_ptr<volume>(std::make_unique<posix_volume>(std::move(opened), path));
}

std::int64_t posix_file_system::open_files_max() {
  struct rlimit allowed {};
  if (::getrlimit(RLIMIT_NOFILE, &allowed) != 0) return file_system::open_files_max();
  return allowed.rlim_cur == RLIM_INFINITY ? file_system::open_files_max()
                                           : static_cast<std::int64_t>(allowed.rlim_cur);
}

namespace {

enum class entry_detail { with_size, name_only };

result<std::vector<directory_entry>> list_directory(const std::string& path, entry_detail detail) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (directory == nullptr) return error_from_errno(errno, "list", path);
  std::vector<directory_entry> entries;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(directory.get());
    if (found == nullptr) {
      if (errno != 0) return error_from_errno(errno, "list", path);
      break;
    }
    directory_entry entry{.name = found->d_name};
    if (entry.name == "." || entry.name == "..") continue;
    const bool is_known = found->d_type == DT_DIR || found->d_type == DT_REG;
    if (detail == entry_detail::name_only && is_known) {
      entry.is_directory = found->d_type == DT_DIR;
    } else {
      struct stat about {};
      // Gone since readdir, or a dangling link: not there for us.
      if (::fstatat(::dirfd(directory.get()), found->d_name, &about, 0) != 0) continue;
      entry.is_directory = S_ISDIR(about.st_mode);
      const bool has_size = S_ISREG(about.st_mode) && detail == entry_detail::with_size;
      entry.size = has_size ? static_cast<std::uint64_t>(about.st_size) : 0;
    }
    entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, {}, &directory_entry::name);
  return entries;
}

}  // namespace

result<std::vector<directory_entry>> posix_file_system::list(const std::string& path) {
  return list_directory(path, entry_detail::with_size);
}

result<std::vector<directory_entry>> posix_file_system::list_names(const std::string& path) {
  return list_directory(path, entry_detail::name_only);
}

result<bool> posix_file_system::exists(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return error_from_errno(errno, "look for", path);
}

status posix_file_system::make_directories(const std::string& path) {
  std::error_code failure;
  std::filesystem::create_directories(path, failure);
  if (failure) return error_from_errno(failure.value(), "make directory", path);
  return {};
}

status posix_file_system::rename(const std::string& source, const std::string& target) {
  if (::rename(source.c_str(), target.c_str()) != 0) {
    return error_from_errno(errno, "rename to " + target + " from", source);
  }
  return {};
}

status posix_file_system::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0) return error_from_errno(errno, "remove", path);
  return {};
}

status posix_file_system::remove_tree(const std::string& path) {
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) return error_from_errno(failure.value(), "remove directory", path);
  return {};
}

status posix_file_system::sync_directory(const std::string& path) {
  const owned_descriptor opened(
      retry_interrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!opened.is_open()) return error_from_errno(errno, "open directory", path);
  if (retry_interrupted([&] { return ::fsync(opened.number()); }) != 0) {
    return error_from_errno(errno, "sync directory", path);
  }
  return {};
}

result<std::unique_ptr<file_lock>> posix_file_system::lock(const std::string& path) {
  return take_record_lock(path);
}

result<file_system::space> posix_file_system::measure_space(const std::string& path) {
  struct statvfs about {};
  if (retry_interrupted([&] { return ::statvfs(path.c_str(), &about); }) != 0) {
    return error_from_errno(errno, "ask for the free space of", path);
  }
  return space{.total_bytes = about.f_blocks * about.f_frsize,
               .available_bytes = about.f_bavail * about.f_frsize};
}

result<file_system::identity> posix_file_system::identify(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return error_from_errno(errno, "stat", path);
  return identity{.device = about.st_dev, .inode = about.st_ino};
}

}  // namespace ringlog::io
