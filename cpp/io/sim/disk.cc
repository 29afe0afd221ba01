#include "io/sim/disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "io/sim/world.h"

namespace ringlog::io::sim {

// What an inode is: a file's bytes, or a directory's names on both sides of a crash.
struct disk::node {
  using names = std::map<std::string, node_ptr>;

  // Names given or (null) taken away by one operation on this directory.
  using name_change = std::vector<std::pair<std::string, node_ptr>>;

  std::uint64_t inode = 0;
  bool is_directory = false;
  stored_bytes bytes;
  std::uint64_t reserved = 0;
  names children;
  names durable_children;
  std::vector<name_change> pending;

  static void apply(names& target, const name_change& change) {
    for (const auto& [name, child] : change) {
      if (child == nullptr) {
        target.erase(name);
      } else {
        target[name] = child;
      }
    }
  }
  void change_names(name_change change) {
    apply(children, change);
    pending.push_back(std::move(change));
  }
  void sync_names() {
    for (const name_change& change : pending) apply(durable_children, change);
    pending.clear();
  }

  // Calls visit(node) for it and all that it holds, on either side of a crash.
  template <typename Visit>
  void walk(Visit visit) {
    visit(*this);
    for (const auto& [_, child] : children) child->walk(visit);
    for (const auto& [name, child] : durable_children) {
      const auto seen = children.find(name);
      if (seen == children.end() || seen->second != child) child->walk(visit);
    }
  }
};

namespace {

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (const auto& part : std::filesystem::path("/" + path).lexically_normal()) {
    if (part != "/" && !part.empty()) parts.push_back(part.string());
  }
  return parts;
}

constexpr std::uint64_t sector_sizes[] = {512, 4096};

}  // namespace

disk::disk(world& home) : world_(home), root_(make_node(true)) {}
disk::~disk() = default;

disk::node_ptr disk::make_node(bool is_directory) {
  auto made = std::make_shared<node>();
  made->inode = next_inode_++;
  made->is_directory = is_directory;
  return made;
}

// --- faults and crash points

status disk::check_on(std::string_view what, const std::string& path) {
  if (!off_) return {};
  return make_error(error_code::io_error, "cannot {} {}: the simulated machine is off", what, path);
}

void disk::reach(std::string_view what, bool is_after, const std::string& path) {
  const crash_point point{crash_points_++, what, is_after, path};
  if (observer) observer(point);
}

bool disk::strikes(std::uint64_t one_in, std::string_view event) {
  if (one_in == 0 || !world_.random().one_in(one_in)) return false;
  ++events_[std::string(event)];
  return true;
}

// One operation that changes the disk, between its two crash points.
template <typename Effect>
status disk::change(std::string_view what, const std::string& path, Effect effect) {
  TRY(check_on(what, path));
  reach(what, false, path);
  TRY(check_on(what, path));
  world_.pass(world_.random_latency());
  TRY(effect());
  ++events_[std::string(what)];
  reach(what, true, path);
  return check_on(what, path);
}

std::uint64_t disk::used_bytes(const node& top) const {
  std::uint64_t used = std::max<std::uint64_t>(top.bytes.content().size(), top.reserved);
  for (const auto& [_, child] : top.children) used += used_bytes(*child);
  return used;
}

std::uint64_t disk::free_bytes() const {
  if (faults.capacity_bytes == UINT64_MAX) return UINT64_MAX;
  return faults.capacity_bytes - std::min(used_bytes(*root_), faults.capacity_bytes);
}

error disk::full(std::string_view what, const std::string& path) {
  ++events_["fault: disk full"];
  return error_from_errno(ENOSPC, what, path);
}

// --- names

result<disk::node_ptr> disk::find(const std::string& path, std::string_view what) {
  TRY(check_on(what, path));
  node_ptr here = root_;
  for (const std::string& part : parts_of(path)) {
    if (!here->is_directory) return error_from_errno(ENOTDIR, what, path);
    const auto child = here->children.find(part);
    if (child == here->children.end()) return error_from_errno(ENOENT, what, path);
    here = child->second;
  }
  return here;
}

result<disk::place> disk::find_place(const std::string& path, std::string_view what) {
  const auto parts = parts_of(path);
  if (parts.empty()) return error_from_errno(EBUSY, what, path);
  TRY_ASSIGN(node_ptr parent, find(path + "/..", what));
  if (!parent->is_directory) return error_from_errno(ENOTDIR, what, path);
  return place{std::move(parent), parts.back()};
}

result<std::unique_ptr<file>> disk::open(const std::string& path, open_mode mode) {
  auto found = find(path, "open");
  if (found.ok() && mode == open_mode::create_new) return error_from_errno(EEXIST, "open", path);
  const bool creates = mode == open_mode::create || mode == open_mode::create_new;
  if (!found.ok() && creates && found.code() == error_code::not_found) {
    TRY_ASSIGN(const place where, find_place(path, "open"));
    found = make_node(false);
    TRY(change("create", path, [&] {
      where.parent->change_names({{where.name, *found}});
      return status();
    }));
  }
  if (!found.ok()) return std::move(found.failure());
  if ((*found)->is_directory) return error_from_errno(EISDIR, "open", path);
  return std::unique_ptr<file>(new disk_file(*this, *found, path, mode != open_mode::read));
}

result<std::vector<directory_entry>> disk::list(const std::string& path) {
  TRY_ASSIGN(const node_ptr found, find(path, "list"));
  if (!found->is_directory) return error_from_errno(ENOTDIR, "list", path);
  std::vector<directory_entry> listed;
  for (const auto& [name, child] : found->children) {
    listed.push_back({name, child->is_directory, child->bytes.content().size()});
  }
  return listed;
}

result<bool> disk::exists(const std::string& path) {
  TRY(check_on("look for", path));
  return find(path, "look for").ok();
}

status disk::make_directories(const std::string& path) {
  std::string here;
  for (const std::string& part : parts_of(path)) {
    TRY_ASSIGN(const node_ptr parent, find(here, "make directory"));
    here += "/" + part;
    const auto child = parent->children.find(part);
    if (child != parent->children.end()) {
      if (child->second->is_directory) continue;
      return error_from_errno(ENOTDIR, "make directory", path);
    }
    TRY(change("make_directory", here, [&] {
      parent->change_names({{part, make_node(true)}});
      return status();
    }));
  }
  return {};
}

status disk::rename(const std::string& source, const std::string& target) {
  TRY_ASSIGN(const node_ptr moved, find(source, "rename"));
  TRY_ASSIGN(const place from, find_place(source, "rename"));
  TRY_ASSIGN(const place to, find_place(target, "rename"));
  const auto replaced = to.parent->children.find(to.name);
  if (replaced != to.parent->children.end()) {
    if (replaced->second->is_directory != moved->is_directory) {
      return error_from_errno(EEXIST, "rename to " + target + " from", source);
    }
    if (!replaced->second->children.empty()) {
      return error_from_errno(ENOTEMPTY, "rename to " + target + " from", source);
    }
  }
  return change("rename", target, [&] {
    if (from.parent == to.parent) {
      from.parent->change_names({{from.name, nullptr}, {to.name, moved}});
    } else {
      to.parent->change_names({{to.name, moved}});
      from.parent->change_names({{from.name, nullptr}});
    }
    return status();
  });
}

status disk::remove(const std::string& path) {
  TRY_ASSIGN(const node_ptr found, find(path, "remove"));
  TRY_ASSIGN(const place where, find_place(path, "remove"));
  if (!found->children.empty()) return error_from_errno(ENOTEMPTY, "remove", path);
  return change("remove", path, [&] {
    where.parent->change_names({{where.name, nullptr}});
    return status();
  });
}

status disk::remove_tree(const std::string& path) {
  TRY_ASSIGN(const bool there, exists(path));
  if (!there) return {};
  TRY_ASSIGN(const node_ptr found, find(path, "remove"));
  if (found->is_directory) {
    const auto children = found->children;
    for (const auto& [name, _] : children) TRY(remove_tree(path + "/" + name));
  }
  return remove(path);
}

status disk::sync_directory(const std::string& path) {
  TRY_ASSIGN(const node_ptr found, find(path, "open directory"));
  return change("sync_directory", path, [&]() -> status {
    if (strikes(faults.sync_error_one_in, "fault: sync of a directory failed")) {
      return error_from_errno(EIO, "sync directory", path);
    }
    if (!faults.ignore_directory_syncs) found->sync_names();
    return {};
  });
}

// The whole disk.
class disk_volume final : public volume {
 public:
  explicit disk_volume(disk& home)
      : disk_(home), boot_(home.boots_), failures_seen_(home.failed_syncs_) {}

  status sync() override {
    if (boot_ != disk_.boots_) {
      return make_error(error_code::io_error, "cannot sync a disk opened before the crash");
    }
    return disk_.change("sync_volume", "/", [&]() -> status {
      if (disk_.strikes(disk_.faults.sync_error_one_in, "fault: sync of the disk failed")) {
        ++disk_.failed_syncs_;
        disk_.root_->walk([&](disk::node& each) { each.bytes.fail_sync(disk_.world_.random()); });
      }
      const bool failed = std::exchange(failures_seen_, disk_.failed_syncs_) != disk_.failed_syncs_;
      if (failed) return error_from_errno(EIO, "sync", "the disk");
      disk_.root_->walk([&](disk::node& each) {
        if (!disk_.faults.ignore_file_syncs) each.bytes.sync();
        if (!disk_.faults.ignore_directory_syncs) each.sync_names();
      });
      return {};
    });
  }

 private:
  disk& disk_;
  std::uint64_t boot_;
  std::uint64_t failures_seen_;
};

result<std::unique_ptr<volume>> disk::open_volume(const std::string& path) {
  TRY(find(path, "open"));
  return std::unique_ptr<volume>(std::make_unique<disk_volume>(*this));
}

struct disk::held_lock final : file_lock {
  held_lock(disk& of, std::uint64_t id) : home(of), inode(id), boot(of.boots_) {}
  ~held_lock() override {
    const auto found = home.locked_.find(inode);
    if (found != home.locked_.end() && found->second == boot) home.locked_.erase(found);
  }
  disk& home;
  std::uint64_t inode;
  std::uint64_t boot;
};

result<std::unique_ptr<file_lock>> disk::lock(const std::string& path) {
  TRY(open(path, open_mode::create));
  TRY_ASSIGN(const node_ptr found, find(path, "lock"));
  if (!locked_.emplace(found->inode, boots_).second) {
    return make_error(error_code::locked, "{} is already open in this process", path);
  }
  return std::unique_ptr<file_lock>(std::make_unique<held_lock>(*this, found->inode));
}

result<io::file_system::space> disk::measure_space(const std::string& path) {
  TRY(find(path, "ask for the free space of"));
  return space{.total_bytes = faults.capacity_bytes, .available_bytes = free_bytes()};
}

result<file_system::identity> disk::identify(const std::string& path) {
  TRY_ASSIGN(const node_ptr found, find(path, "stat"));
  return identity{.device = 0, .inode = found->inode};
}

// --- the machine

void disk::power_off() {
  if (off_) return;
  ++events_["power off"];
  off_ = true;
  root_->walk([](node& each) { each.bytes.cut_off(); });
}

void disk::power_on() {
  power_off();
  crash(*root_);
  locked_.clear();
  ++boots_;
  off_ = false;
}

void disk::crash(node& top) {
  random_source& random = world_.random();
  if (!top.is_directory) {
    top.bytes.crash(random, sector_sizes[random.below(2)], events_);
    top.reserved = 0;
    return;
  }
  const std::uint64_t mood = random.below(4);  // all lost, all kept, else each by itself
  for (const node::name_change& change : top.pending) {
    const bool kept = mood == 1 || (mood > 1 && random.one_in(2));
    if (kept) node::apply(top.durable_children, change);
    ++events_[kept ? "crash kept a name" : "crash lost a name"];
  }
  top.pending.clear();
  top.children = top.durable_children;
  for (const auto& [_, child] : top.children) crash(*child);
}

std::uint64_t disk::used_bytes() const { return used_bytes(*root_); }

status disk::decay(const std::string& path, std::uint64_t position, std::uint64_t size) {
  TRY_ASSIGN(const node_ptr found, find(path, "decay"));
  ++events_["fault: bit flipped"];
  found->bytes.flip_bit(world_.random(), position, size);
  return {};
}

// --- open files

disk_file::disk_file(disk& home, std::shared_ptr<disk::node> content, std::string path,
                     bool writable)
    : disk_(home),
      node_(std::move(content)),
      path_(std::move(path)),
      writable_(writable),
      boot_(home.boots_) {}

disk_file::~disk_file() = default;

status disk_file::check(std::string_view what) const {
  if (boot_ == disk_.boots_) return disk_.check_on(what, path_);
  return make_error(error_code::io_error, "cannot {} {}: it was opened before the crash", what,
                    path_);
}

result<std::size_t> disk_file::read_at(std::uint64_t position, mutable_bytes target) {
  TRY(check("read"));
  disk_.world_.pass(disk_.world_.random_latency());
  if (disk_.strikes(disk_.faults.read_error_one_in, "fault: read failed")) {
    return error_from_errno(EIO, "read", path_);
  }
  const byte_buffer& content = node_->bytes.content();
  if (position >= content.size()) return 0;
  const std::size_t count = std::min<std::uint64_t>(target.size(), content.size() - position);
  std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(position), count, target.begin());
  if (count > 0 && disk_.strikes(disk_.faults.flipped_read_one_in, "fault: read flipped a bit")) {
    target[disk_.world_.random().below(count)] ^=
        static_cast<std::byte>(1u << disk_.world_.random().below(8));
  }
  return count;
}

std::uint64_t disk_file::owned_bytes() const {
  return std::max<std::uint64_t>(node_->bytes.content().size(), node_->reserved);
}

status disk_file::write_bytes(std::uint64_t position, bytes_view source) {
  if (!writable_) return error_from_errno(EBADF, "write", path_);
  if (disk_.strikes(disk_.faults.write_error_one_in, "fault: write failed")) {
    node_->bytes.write(position, source.first(disk_.world_.random().below(source.size() + 1)));
    return error_from_errno(EIO, "write", path_);
  }
  const std::uint64_t end = position + source.size();
  const std::uint64_t owned = owned_bytes();
  const std::uint64_t more = end > owned ? end - owned : 0;
  const std::uint64_t missing = more - std::min(more, disk_.free_bytes());
  const std::uint64_t fits = source.size() - std::min<std::uint64_t>(missing, source.size());
  node_->bytes.write(position, source.first(fits));
  if (missing > 0) return disk_.full("write", path_);
  return {};
}

status disk_file::write_at(std::uint64_t position, bytes_view source) {
  TRY(check("write"));
  return disk_.change("write", path_, [&] { return write_bytes(position, source); });
}

std::shared_ptr<const stored_bytes::write_under_way> disk_file::begin_write(std::uint64_t position,
                                                                            byte_buffer bytes) {
  const bool reaches_the_disk = writable_ && check("write").ok();
  return reaches_the_disk ? node_->bytes.begin_write(position, std::move(bytes)) : nullptr;
}

status disk_file::write_durable(std::uint64_t position, bytes_view source) {
  TRY(check("write"));
  TRY(disk_.change("durable_write", path_, [&] { return write_bytes(position, source); }));
  return disk_.change("durable_sync", path_, [&]() -> status {
    if (disk_.strikes(disk_.faults.sync_error_one_in, "fault: sync failed")) {
      return fail_sync("write");
    }
    if (disk_.faults.ignore_file_syncs) return {};
    const std::uint64_t sector = sector_sizes[disk_.world_.random().below(2)];
    node_->bytes.sync_range(position, source.size(), sector);
    return {};
  });
}

error disk_file::fail_sync(std::string_view what) {
  ++disk_.failed_syncs_;
  node_->bytes.fail_sync(disk_.world_.random());
  return error_from_errno(EIO, what, path_);
}

status disk_file::sync() {
  TRY(check("sync"));
  return disk_.change("sync", path_, [&]() -> status {
    if (disk_.strikes(disk_.faults.sync_error_one_in, "fault: sync failed")) {
      return fail_sync("sync");
    }
    if (!disk_.faults.ignore_file_syncs) node_->bytes.sync();
    return {};
  });
}

status disk_file::resize(std::uint64_t size) {
  TRY(check("resize"));
  return disk_.change("resize", path_, [&]() -> status {
    if (!writable_) return error_from_errno(EINVAL, "resize", path_);
    const std::uint64_t now = node_->bytes.content().size();
    if (size == now) return {};
    if (size > now && size - now > disk_.free_bytes()) return disk_.full("resize", path_);
    node_->bytes.resize(size);
    node_->reserved = std::min(node_->reserved, size);
    return {};
  });
}

status disk_file::reserve(std::uint64_t size) {
  TRY(check("reserve"));
  const std::uint64_t owned = owned_bytes();
  if (size <= owned) return {};
  if (size - owned > disk_.free_bytes()) return disk_.full("reserve space for", path_);
  node_->reserved = size;
  return {};
}

result<std::uint64_t> disk_file::size() const {
  TRY(check("stat"));
  return node_->bytes.content().size();
}

}  // namespace ringlog::io::sim
