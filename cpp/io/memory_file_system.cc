#include "io/memory_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace ringlog::io {

// The bytes of one file, in chunks that come into being at their first write. What has none yet
// is zero, or for a file that was taken in what stands in the file below.
class memory_content {
 public:
  memory_content() = default;
  explicit memory_content(std::uint64_t bytes_below) : size_(bytes_below), below_(bytes_below) {}

  result<std::size_t> read(std::uint64_t position, mutable_bytes target, file* below) {
    const std::lock_guard lock(mutex_);
    if (position >= size_) return std::size_t{0};
    const std::size_t count = std::min<std::uint64_t>(target.size(), size_ - position);
    status outcome;
    walk(position, count, [&](std::size_t at, std::size_t chunk, std::size_t in, std::size_t n) {
      if (chunk < chunks_.size() && chunks_[chunk] != nullptr) {
        std::memcpy(target.data() + at, chunks_[chunk]->data() + in, n);
      } else if (outcome.ok()) {
        outcome = fill(position + at, target.subspan(at, n), below);
      }
    });
    if (!outcome.ok()) return std::move(outcome.failure());
    return count;
  }

  status write(std::uint64_t position, bytes_view source, file* below) {
    const std::lock_guard lock(mutex_);
    status outcome;
    walk(position, source.size(),
         [&](std::size_t at, std::size_t chunk, std::size_t in, std::size_t n) {
           if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
           if (chunks_[chunk] == nullptr) {
             chunks_[chunk] = std::make_unique<chunk_bytes>();
             if (outcome.ok()) outcome = fill(chunk * chunk_size, *chunks_[chunk], below);
           }
           std::memcpy(chunks_[chunk]->data() + in, source.data() + at, n);
         });
    size_ = std::max<std::uint64_t>(size_, position + source.size());
    return outcome;
  }

  void resize(std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    if (size < size_) {
      const std::size_t whole = size / chunk_size;
      const std::size_t rest = size % chunk_size;
      if (rest > 0 && whole < chunks_.size() && chunks_[whole] != nullptr) {
        std::memset(chunks_[whole]->data() + rest, 0, chunk_size - rest);
      }
      chunks_.resize(std::min(chunks_.size(), whole + (rest > 0 ? 1 : 0)));
      below_ = std::min(below_, size);
    }
    size_ = size;
  }

  std::uint64_t size() {
    const std::lock_guard lock(mutex_);
    return size_;
  }

 private:
  static constexpr std::size_t chunk_size = 16 * 1024;
  using chunk_bytes = std::array<std::byte, chunk_size>;

  // What stands there before the first write.
  status fill(std::uint64_t position, mutable_bytes target, file* below) const {
    std::size_t filled = 0;
    if (below != nullptr && position < below_) {
      const std::size_t wanted = std::min<std::uint64_t>(target.size(), below_ - position);
      TRY_ASSIGN(filled, below->read_at(position, target.first(wanted)));
    }
    if (filled < target.size()) std::memset(target.data() + filled, 0, target.size() - filled);
    return {};
  }

  // Calls visit(bytes walked before, chunk, position in it, bytes in it) for each chunk touched.
  template <typename Visit>
  static void walk(std::uint64_t position, std::size_t count, Visit visit) {
    for (std::size_t done = 0; done < count;) {
      const std::size_t chunk = (position + done) / chunk_size;
      const std::size_t in = (position + done) % chunk_size;
      const std::size_t n = std::min(count - done, chunk_size - in);
      visit(done, chunk, in, n);
      done += n;
    }
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<chunk_bytes>> chunks_;
  std::uint64_t size_ = 0;
  std::uint64_t below_ = 0;  // bytes of the file below that count
};

namespace {

class memory_file final : public file {
 public:
  memory_file(std::shared_ptr<memory_content> content, std::string path, bool writable,
              std::unique_ptr<file> below)
      : content_(std::move(content)),
        path_(std::move(path)),
        writable_(writable),
        below_(std::move(below)) {}

  result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override {
    return content_->read(position, target, below_.get());
  }
  status write_at(std::uint64_t position, bytes_view source) override {
    if (!writable_) return error_from_errno(EBADF, "write", path_);
    return content_->write(position, source, below_.get());
  }
  status sync() override { return {}; }
  status resize(std::uint64_t size) override {
    if (!writable_) return error_from_errno(EINVAL, "resize", path_);
    content_->resize(size);
    return {};
  }
  status reserve(std::uint64_t) override { return {}; }
  result<std::uint64_t> size() const override { return content_->size(); }
  const std::string& path() const override { return path_; }
  int descriptor() const override { return -1; }

 private:
  std::shared_ptr<memory_content> content_;
  std::string path_;
  bool writable_;
  std::unique_ptr<file> below_;
};

struct memory_volume final : volume {
  status sync() override { return {}; }
};

std::string normal(const std::string& path) {
  std::string text = std::filesystem::path("/" + path).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace

// Outlives the file system where a lock does.
struct memory_file_system::locks {
  std::mutex mutex;
  std::set<std::string> held;

  struct holder final : file_lock {
    holder(std::shared_ptr<locks> of, std::string path) : all(std::move(of)), name(path) {}
    ~holder() override {
      const std::lock_guard guard(all->mutex);
      all->held.erase(name);
    }
    std::shared_ptr<locks> all;
    std::string name;
  };
};

memory_file_system::memory_file_system() : locks_(std::make_shared<locks>()) {
  insert("/", nullptr);
}

memory_file_system::~memory_file_system() = default;

memory_file_system::entry* memory_file_system::find(const std::string& path) {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : &found->second;
}

void memory_file_system::insert(const std::string& path, std::shared_ptr<memory_content> content) {
  entries_[path] = entry{next_inode_++, std::move(content), {}};
}

// Everything inside a directory, at any depth.
std::pair<memory_file_system::entries::iterator, memory_file_system::entries::iterator>
memory_file_system::below(const std::string& path) {
  const std::string prefix = path == "/" ? path : path + "/";
  std::string end = prefix;
  end.back() = '/' + 1;
  auto first = entries_.lower_bound(prefix);
  if (path == "/") ++first;  // itself
  return {first, entries_.lower_bound(end)};
}

bool memory_file_system::has_children(const std::string& path) const {
  const auto next = entries_.lower_bound(path + "/");
  return next != entries_.end() && next->first.starts_with(path + "/");
}

result<std::unique_ptr<file>> memory_file_system::open(const std::string& path, open_mode mode) {
  const std::string name = normal(path);
  const std::lock_guard guard(mutex_);
  entry* found = find(name);
  if (found != nullptr && mode == open_mode::create_new) {
    return error_from_errno(EEXIST, "open", path);
  }
  if (found == nullptr) {
    if (mode == open_mode::read || mode == open_mode::read_write) {
      return error_from_errno(ENOENT, "open", path);
    }
    const entry* parent = find(parent_of(name));
    if (parent == nullptr) return error_from_errno(ENOENT, "open", path);
    if (!parent->is_directory()) return error_from_errno(ENOTDIR, "open", path);
    insert(name, std::make_shared<memory_content>());
    found = find(name);
  }
  if (found->is_directory()) return error_from_errno(EISDIR, "open", path);
  std::unique_ptr<file> below;
  if (!found->origin.empty()) {
    TRY_ASSIGN(below, source_->open(found->origin, open_mode::read));
  }
  return std::unique_ptr<file>(std::make_unique<memory_file>(
      found->content, path, mode != open_mode::read, std::move(below)));
}

status memory_file_system::take_in(file_system& source, const std::string& path) {
  TRY_ASSIGN(const bool there, source.exists(path));
  if (!there) return {};
  TRY(make_directories(path));
  TRY_ASSIGN(const auto listed, source.list(path));
  for (const directory_entry& each : listed) {
    const std::string inner = path + "/" + each.name;
    if (each.is_directory) {
      TRY(take_in(source, inner));
      continue;
    }
    const std::lock_guard guard(mutex_);
    source_ = &source;
    insert(normal(inner), std::make_shared<memory_content>(each.size));
    find(normal(inner))->origin = inner;
  }
  return {};
}

result<std::unique_ptr<volume>> memory_file_system::open_volume(const std::string& path) {
  const std::lock_guard guard(mutex_);
  if (find(normal(path)) == nullptr) return error_from_errno(ENOENT, "open", path);
  return std::unique_ptr<volume>(std::make_unique<memory_volume>());
}

result<std::vector<directory_entry>> memory_file_system::list(const std::string& path) {
  const std::string name = normal(path);
  const std::lock_guard guard(mutex_);
  const entry* found = find(name);
  if (found == nullptr) return error_from_errno(ENOENT, "list", path);
  if (!found->is_directory()) return error_from_errno(ENOTDIR, "list", path);
  std::vector<directory_entry> listed;
  const auto [first, last] = below(name);
  for (auto child = first; child != last; ++child) {
    if (parent_of(child->first) != name) continue;
    const bool is_directory = child->second.is_directory();
    listed.push_back({.name = child->first.substr(child->first.rfind('/') + 1),
                      .is_directory = is_directory,
                      .size = is_directory ? 0 : child->second.content->size()});
  }
  return listed;
}

result<bool> memory_file_system::exists(const std::string& path) {
  const std::lock_guard guard(mutex_);
  return find(normal(path)) != nullptr;
}

status memory_file_system::make_directories(const std::string& path) {
  const std::string name = normal(path);
  const std::lock_guard guard(mutex_);
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    const entry* found = find(part);
    if (found == nullptr) {
      insert(part, nullptr);
    } else if (!found->is_directory()) {
      return error_from_errno(ENOTDIR, "make directory", path);
    }
    if (end == std::string::npos) return {};
  }
}

status memory_file_system::rename(const std::string& source, const std::string& target) {
  const std::string from = normal(source);
  const std::string to = normal(target);
  const std::lock_guard guard(mutex_);
  const entry* moved = find(from);
  if (moved == nullptr) return error_from_errno(ENOENT, "rename to " + target + " from", source);
  const entry* replaced = find(to);
  int refusal = 0;
  if (find(parent_of(to)) == nullptr) refusal = ENOENT;
  if (to.starts_with(from + "/")) refusal = EINVAL;
  if (replaced != nullptr && replaced->is_directory() != moved->is_directory()) refusal = EEXIST;
  if (replaced != nullptr && has_children(to)) refusal = ENOTEMPTY;
  if (refusal != 0) return error_from_errno(refusal, "rename to " + target + " from", source);
  if (from == to) return {};
  const auto [first, last] = below(from);
  entries inside(std::make_move_iterator(first), std::make_move_iterator(last));
  entries_.erase(first, last);
  for (auto& [path, held] : inside) entries_[to + path.substr(from.size())] = std::move(held);
  entry self = *moved;
  entries_.erase(from);
  entries_[to] = std::move(self);
  return {};
}

status memory_file_system::remove(const std::string& path) {
  const std::string name = normal(path);
  const std::lock_guard guard(mutex_);
  if (find(name) == nullptr) return error_from_errno(ENOENT, "remove", path);
  if (has_children(name)) return error_from_errno(ENOTEMPTY, "remove", path);
  entries_.erase(name);
  return {};
}

status memory_file_system::remove_tree(const std::string& path) {
  const std::string name = normal(path);
  const std::lock_guard guard(mutex_);
  const auto [first, last] = below(name);
  entries_.erase(first, last);
  if (name != "/") entries_.erase(name);
  return {};
}

status memory_file_system::sync_directory(const std::string& path) {
  const std::lock_guard guard(mutex_);
  if (find(normal(path)) == nullptr) return error_from_errno(ENOENT, "open directory", path);
  return {};
}

result<std::unique_ptr<file_lock>> memory_file_system::lock(const std::string& path) {
  // A file that was taken in is not opened: closing it would end the locks on it below.
  TRY_ASSIGN(const bool there, exists(path));
  if (!there) TRY(open(path, open_mode::create));
  const std::lock_guard guard(locks_->mutex);
  const std::string name = normal(path);
  if (!locks_->held.insert(name).second) {
    return make_error(error_code::locked, "{} is already open in this process", path);
  }
  return std::unique_ptr<file_lock>(std::make_unique<locks::holder>(locks_, name));
}

result<file_system::space> memory_file_system::measure_space(const std::string&) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return space{.total_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page,
               .available_bytes = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES)) * page};
}

result<file_system::identity> memory_file_system::identify(const std::string& path) {
  const std::lock_guard guard(mutex_);
  const entry* found = find(normal(path));
  if (found == nullptr) return error_from_errno(ENOENT, "stat", path);
  return identity{.device = 0, .inode = found->inode};
}

}  // namespace ringlog::io
