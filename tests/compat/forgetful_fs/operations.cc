#include "operations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace forgetful {
namespace {

constexpr double valid_seconds = 0;  // the kernel asks again, so that it forgets as we do

file_system& system_of(fuse_req_t request) {
  return *static_cast<file_system*>(fuse_req_userdata(request));
}

void answer(fuse_req_t request, int errno_value) { fuse_reply_err(request, errno_value); }

struct stat attributes_of(const node& of) {
  struct stat about {};
  about.st_ino = of.number;
  about.st_mode = of.mode | static_cast<mode_t>(of.is_directory ? S_IFDIR : S_IFREG);
  about.st_nlink = of.is_directory ? 2 : 1;
  about.st_uid = ::getuid();
  about.st_gid = ::getgid();
  about.st_size = static_cast<off_t>(of.seen.size());
  about.st_blksize = page_size;
  about.st_blocks = static_cast<blkcnt_t>(of.seen.page_count() * page_size / 512);
  about.st_mtim = about.st_ctim = about.st_atim = of.changed;
  return about;
}

fuse_entry_param entry_of(node& of) {
  fuse_entry_param entry{};
  entry.ino = of.number;
  entry.attr = attributes_of(of);
  entry.attr_timeout = entry.entry_timeout = valid_seconds;
  ++of.lookups;
  return entry;
}

node_ptr child_of(const node& directory, const std::string& name) {
  const auto found = directory.children.find(name);
  return found == directory.children.end() ? nullptr : found->second;
}

// The node and its answer when it is not there or not of the kind.
node_ptr need(fuse_req_t request, fuse_ino_t number, bool is_directory) {
  node_ptr found = system_of(request).files.find(number);
  if (found == nullptr) {
    answer(request, ENOENT);
  } else if (found->is_directory != is_directory) {
    answer(request, is_directory ? ENOTDIR : EISDIR);
    found = nullptr;
  }
  return found;
}

// The same for an open file; those opened before the power cut are void.
node_ptr need_open(fuse_req_t request, fuse_ino_t number, const fuse_file_info* opened) {
  if (opened->fh == system_of(request).files.generation()) return need(request, number, false);
  answer(request, EIO);
  return nullptr;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const node_ptr directory = need(request, parent, true);
  if (directory == nullptr) return;
  const node_ptr child = child_of(*directory, name);
  if (child == nullptr) return answer(request, ENOENT);
  const fuse_entry_param entry = entry_of(*child);
  fuse_reply_entry(request, &entry);
}

void forget_lookups(file_system& in, fuse_ino_t number, std::uint64_t count) {
  const node_ptr found = in.files.find(number);
  if (found != nullptr) found->lookups -= std::min(found->lookups, count);
}

void forget(fuse_req_t request, fuse_ino_t number, std::uint64_t count) {
  forget_lookups(system_of(request), number, count);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* all) {
  for (std::size_t i = 0; i < count; ++i) {
    forget_lookups(system_of(request), all[i].ino, all[i].nlookup);
  }
  fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  const node_ptr found = system_of(request).files.find(number);
  if (found == nullptr) return answer(request, ENOENT);
  const struct stat about = attributes_of(*found);
  fuse_reply_attr(request, &about, valid_seconds);
}

void setattr(fuse_req_t request, fuse_ino_t number, struct stat* wanted, int which,
             fuse_file_info* opened) {
  file_system& in = system_of(request);
  const node_ptr found = in.files.find(number);
  if (found == nullptr) return answer(request, ENOENT);
  if (opened != nullptr && opened->fh != in.files.generation()) return answer(request, EIO);
  if ((which & FUSE_SET_ATTR_SIZE) != 0) {
    in.files.resize(*found, static_cast<std::uint64_t>(wanted->st_size));
  }
  if ((which & FUSE_SET_ATTR_MODE) != 0) found->mode = wanted->st_mode & 07777;
  getattr(request, number, opened);
}

void mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  const node_ptr directory = need(request, parent, true);
  if (directory == nullptr) return;
  if (child_of(*directory, name) != nullptr) return answer(request, EEXIST);
  const fuse_entry_param entry =
      entry_of(*system_of(request).files.make(*directory, name, true, mode));
  fuse_reply_entry(request, &entry);
}

void remove(fuse_req_t request, fuse_ino_t parent, const char* name, bool is_directory) {
  const node_ptr directory = need(request, parent, true);
  if (directory == nullptr) return;
  const node_ptr child = child_of(*directory, name);
  if (child == nullptr) return answer(request, ENOENT);
  if (child->is_directory != is_directory) return answer(request, is_directory ? ENOTDIR : EISDIR);
  if (!child->children.empty()) return answer(request, ENOTEMPTY);
  system_of(request).files.change_names(*directory, {{name, nullptr}});
  answer(request, 0);
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  remove(request, parent, name, false);
}

void rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  remove(request, parent, name, true);
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  const node_ptr source = need(request, parent, true);
  if (source == nullptr) return;
  const node_ptr target = need(request, new_parent, true);
  if (target == nullptr) return;
  if (flags != 0) return answer(request, EINVAL);
  const node_ptr moved = child_of(*source, name);
  if (moved == nullptr) return answer(request, ENOENT);
  const node_ptr replaced = child_of(*target, new_name);
  if (replaced != nullptr && !replaced->children.empty()) return answer(request, ENOTEMPTY);
  if (moved != replaced) {
    tree& files = system_of(request).files;
    if (source == target) {
      files.change_names(*source, {{name, nullptr}, {new_name, moved}});
    } else {
      files.change_names(*target, {{new_name, moved}});
      files.change_names(*source, {{name, nullptr}});
    }
  }
  answer(request, 0);
}

void open(fuse_req_t request, fuse_ino_t number, fuse_file_info* opened) {
  const node_ptr file = need(request, number, false);
  if (file == nullptr) return;
  tree& files = system_of(request).files;
  if ((opened->flags & O_TRUNC) != 0) files.resize(*file, 0);
  opened->fh = files.generation();
  fuse_reply_open(request, opened);
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* opened) {
  const node_ptr directory = need(request, parent, true);
  if (directory == nullptr) return;
  tree& files = system_of(request).files;
  node_ptr file = child_of(*directory, name);
  if (file == nullptr) {
    file = files.make(*directory, name, false, mode);
  } else if (file->is_directory || (opened->flags & O_EXCL) != 0) {
    return answer(request, file->is_directory ? EISDIR : EEXIST);
  } else if ((opened->flags & O_TRUNC) != 0) {
    files.resize(*file, 0);
  }
  opened->fh = files.generation();
  const fuse_entry_param entry = entry_of(*file);
  fuse_reply_create(request, &entry, opened);
}

void read(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t position,
          fuse_file_info* opened) {
  const node_ptr file = need_open(request, number, opened);
  if (file == nullptr) return;
  const std::string found = file->seen.read(static_cast<std::uint64_t>(position), size);
  fuse_reply_buf(request, found.data(), found.size());
}

void write(fuse_req_t request, fuse_ino_t number, const char* bytes, std::size_t size,
           off_t position, fuse_file_info* opened) {
  const node_ptr file = need_open(request, number, opened);
  if (file == nullptr) return;
  file_system& in = system_of(request);
  const bool durable = (opened->flags & O_DSYNC) != 0;
  if (durable && in.refuse_durable_writes) {
    ++in.files.events["durable writes refused"];
    return answer(request, EOPNOTSUPP);
  }
  const auto start = static_cast<std::uint64_t>(position);
  in.files.write(*file, start, {bytes, size});
  if (durable && !in.ignore_syncs) in.files.sync_range(*file, start, size);
  fuse_reply_write(request, size);
}

void fsync(fuse_req_t request, fuse_ino_t number, int, fuse_file_info* opened) {
  const node_ptr file = need_open(request, number, opened);
  if (file == nullptr) return;
  file_system& in = system_of(request);
  if (!in.ignore_syncs) in.files.sync(*file);
  answer(request, 0);
}

void flush(fuse_req_t request, fuse_ino_t, fuse_file_info*) { answer(request, 0); }
void release(fuse_req_t request, fuse_ino_t, fuse_file_info*) { answer(request, 0); }

void fallocate(fuse_req_t request, fuse_ino_t number, int mode, off_t position, off_t size,
               fuse_file_info* opened) {
  const node_ptr file = need_open(request, number, opened);
  if (file == nullptr) return;
  if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) return answer(request, EOPNOTSUPP);
  const auto end = static_cast<std::uint64_t>(position + size);
  if (mode == 0 && end > file->seen.size()) system_of(request).files.resize(*file, end);
  answer(request, 0);
}

void readdir(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t start,
             fuse_file_info*) {
  const node_ptr directory = need(request, number, true);
  if (directory == nullptr) return;
  std::string listing(size, '\0');
  std::size_t used = 0;
  off_t position = 0;
  for (const auto& [name, child] : directory->children) {
    if (position++ < start) continue;
    const struct stat about = attributes_of(*child);
    const std::size_t needed = fuse_add_direntry(request, listing.data() + used, size - used,
                                                 name.c_str(), &about, position);
    if (needed > size - used) break;
    used += needed;
  }
  fuse_reply_buf(request, listing.data(), used);
}

void fsyncdir(fuse_req_t request, fuse_ino_t number, int, fuse_file_info*) {
  const node_ptr directory = need(request, number, true);
  if (directory == nullptr) return;
  file_system& in = system_of(request);
  if (!in.ignore_syncs) in.files.sync_names(*directory);
  answer(request, 0);
}

void statfs(fuse_req_t request, fuse_ino_t) {
  struct statvfs about {};
  about.f_bsize = about.f_frsize = page_size;
  about.f_blocks = about.f_bfree = about.f_bavail = 1 << 20;
  about.f_files = about.f_ffree = 1 << 20;
  about.f_namemax = 255;
  fuse_reply_statfs(request, &about);
}

// The power switch: user.forget of the root is set to "all" or to a seed.
void setxattr(fuse_req_t request, fuse_ino_t number, const char* name, const char* value,
              std::size_t size, int) {
  if (number != tree::root_number || std::strcmp(name, "user.forget") != 0) {
    return answer(request, EOPNOTSUPP);
  }
  tree& files = system_of(request).files;
  const std::string_view command(value, size);
  if (command == "all") {
    files.forget(std::nullopt);
    return answer(request, 0);
  }
  std::uint64_t seed = 0;
  const auto [end, failure] = std::from_chars(value, value + size, seed);
  if (failure != std::errc() || end != value + size) return answer(request, EINVAL);
  files.forget(seed);
  answer(request, 0);
}

// user.events of the root: lines of a name, a tab and a count.
void getxattr(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t size) {
  if (number != tree::root_number || std::strcmp(name, "user.events") != 0) {
    return answer(request, ENODATA);
  }
  std::string text;
  for (const auto& [event, count] : system_of(request).files.events) {
    text += fmt::format("{}\t{}\n", event, count);
  }
  if (size == 0) {
    fuse_reply_xattr(request, text.size());
  } else if (size < text.size()) {
    answer(request, ERANGE);
  } else {
    fuse_reply_buf(request, text.data(), text.size());
  }
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops all = [] {
    fuse_lowlevel_ops made{};
    made.lookup = lookup;
    made.forget = forget;
    made.getattr = getattr;
    made.setattr = setattr;
    made.mkdir = mkdir;
    made.unlink = unlink;
    made.rmdir = rmdir;
    made.rename = rename;
    made.open = open;
    made.read = read;
    made.write = write;
    made.flush = flush;
    made.release = release;
    made.fsync = fsync;
    made.readdir = readdir;
    made.fsyncdir = fsyncdir;
    made.statfs = statfs;
    made.setxattr = setxattr;
    made.getxattr = getxattr;
    made.create = create;
    made.forget_multi = forget_multi;
    made.fallocate = fallocate;
    return made;
  }();
  return all;
}

}  // namespace forgetful
