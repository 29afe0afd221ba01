#include "io/record_lock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include <map>
#include <mutex>

#include "io/file_system_type.h"
#include "io/owned_descriptor.h"

namespace ringlog::io {
namespace {

using file_identity = file_system::identity;

// The locks that this process holds, each with the pid that took it (a forked child finds its
// parent's pid there). Lives as long as the process, so that no destructor runs after it.
struct lock_registry {
  std::mutex mutex;
  std::map<file_identity, pid_t> holders;

  bool holds(const file_identity& id) const {
    const auto found = holders.find(id);
    return found != holders.end() && found->second == ::getpid();
  }

  static lock_registry& instance() {
    static lock_registry& registry = *make();
    return registry;
  }

 private:
  static lock_registry* make() {
    // A fork waits for a lock being taken: else the child would inherit a mutex locked for ever.
    ::pthread_atfork([] { instance().mutex.lock(); }, [] { instance().mutex.unlock(); },
                     [] { instance().mutex.unlock(); });
    return new lock_registry;
  }
};

class record_lock final : public file_lock {
 public:
  record_lock(owned_descriptor opened, file_identity id, pid_t owner)
      : descriptor_(std::move(opened)), id_(id), owner_(owner) {}

  ~record_lock() override {
    if (owner_ != ::getpid()) return;  // a forked child: neither lock nor entry are its own
    lock_registry& registry = lock_registry::instance();
    const std::lock_guard guard(registry.mutex);
    registry.holders.erase(id_);
    descriptor_ = {};  // closing drops the lock, after which the entry must be gone
  }

 private:
  owned_descriptor descriptor_;
  file_identity id_;
  pid_t owner_;
};

// Whole file, from 0 to the largest offset.
struct flock whole_file() {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

error held_here(const std::string& path) {
  return make_error(error_code::locked,
                    "{} is already open in this process (pid {}): use the log that is open, or "
                    "close it first",
                    path, ::getpid());
}

error held_elsewhere(const std::string& path, pid_t holder) {
  if (holder <= 0) {
    return make_error(error_code::locked,
                      "{} is locked by a process of another container or machine: stop it first",
                      path);
  }
  return make_error(error_code::locked,
                    "{} is locked by process {}: stop it first, or connect to it instead", path,
                    holder);
}

// 0: nobody; -1: a process that cannot be seen from here.
result<pid_t> ask_for_holder(const std::string& path, const owned_descriptor& opened) {
  struct flock range = whole_file();
  if (::fcntl(opened.number(), F_GETLK, &range) != 0) {
    return error_from_errno(errno, "ask for the lock of", path);
  }
  if (range.l_type == F_UNLCK) return 0;
  return range.l_pid > 0 ? range.l_pid : -1;
}

status set_lock(const std::string& path, const owned_descriptor& opened) {
  constexpr int attempts_max = 10;  // the holder may let go between our two questions
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    struct flock range = whole_file();
    if (retry_interrupted([&] { return ::fcntl(opened.number(), F_SETLK, &range); }) == 0) {
      return {};
    }
    if (errno != EAGAIN && errno != EACCES) return error_from_errno(errno, "lock", path);
    TRY_ASSIGN(const pid_t holder, ask_for_holder(path, opened));
    if (holder != 0) return held_elsewhere(path, holder);
  }
  return held_elsewhere(path, 0);
}

// Nothing when the path names another file by now, or none: the lock is then of no use, and gone.
result<std::unique_ptr<file_lock>> try_to_take(lock_registry& registry, const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && registry.holds({about.st_dev, about.st_ino})) {
    return held_here(path);
  }
  owned_descriptor opened(
      retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); }));
  if (!opened.is_open()) return error_from_errno(errno, "open", path);
  if (::fstat(opened.number(), &about) != 0) return error_from_errno(errno, "stat", path);
  const file_identity id{about.st_dev, about.st_ino};
  if (registry.holds(id)) {
    opened.release();  // renamed onto our path since the stat: closing it would drop our own lock
    return held_here(path);
  }
  TRY(set_lock(path, opened));
  const bool is_there = ::stat(path.c_str(), &about) == 0;
  if (!is_there && errno != ENOENT) return error_from_errno(errno, "stat", path);
  if (!is_there || id != file_identity{about.st_dev, about.st_ino}) {
    return std::unique_ptr<file_lock>();
  }
  registry.holders[id] = ::getpid();
  return std::unique_ptr<file_lock>(
      std::make_unique<record_lock>(std::move(opened), id, ::getpid()));
}

}  // namespace

result<std::unique_ptr<file_lock>> take_record_lock(const std::string& path) {
  constexpr int attempts_max = 10;  // each is undone by somebody who puts another file there
  lock_registry& registry = lock_registry::instance();
  const std::lock_guard guard(registry.mutex);
  TRY(refuse_network_file_system(parent_of(path)));
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    TRY_ASSIGN(auto taken, try_to_take(registry, path));
    if (taken != nullptr) return taken;
  }
  return make_error(
      error_code::locked,
      "{} was deleted or replaced each of {} times that it was locked: find out which "
      "program does that and stop it",
      path, attempts_max);
}

result<int> find_lock_holder(const std::string& path) {
  lock_registry& registry = lock_registry::instance();
  const std::lock_guard guard(registry.mutex);
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && registry.holds({about.st_dev, about.st_ino})) {
    return ::getpid();
  }
  owned_descriptor opened(
      retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC); }));
  if (!opened.is_open() && errno == ENOENT) return 0;
  if (!opened.is_open()) return error_from_errno(errno, "open", path);
  if (::fstat(opened.number(), &about) != 0) return error_from_errno(errno, "stat", path);
  if (registry.holds({about.st_dev, about.st_ino})) {
    opened.release();  // renamed onto our path since the stat: closing it would drop our own lock
    return ::getpid();
  }
  TRY_ASSIGN(const pid_t holder, ask_for_holder(path, opened));
  if (holder < 0) return held_elsewhere(path, holder);
  return holder;
}

}  // namespace ringlog::io
