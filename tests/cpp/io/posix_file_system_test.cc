#include "io/posix_file_system.h"
#include "io/record_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <filesystem>
#include <functional>
#include <thread>

#include "in_child.h"
#include "io/aligned_buffer.h"
#include "io/file_system_type.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "io/temporary_directory.h"

namespace {

// What these tests make the system say; 0 lets it speak for itself.
std::uint32_t pretended_type = 0;   // of every file system
int refused_direct_read = 0;        // errno
std::function<void()> before_lock;  // called before each F_SETLK

}  // namespace

// In place of the C library's, for the whole of this test program.
extern "C" int statfs(const char* path, struct statfs* about) noexcept {
  const auto outcome = static_cast<int>(::syscall(SYS_statfs, path, about));
  if (outcome == 0 && pretended_type != 0) about->f_type = pretended_type;
  return outcome;
}

extern "C" ssize_t pread(int descriptor, void* target, std::size_t size, off_t position) {
  if (refused_direct_read != 0 && (::fcntl(descriptor, F_GETFL) & O_DIRECT) != 0) {
    errno = refused_direct_read;
    return -1;
  }
  return ::syscall(SYS_pread64, descriptor, target, size, position);
}

extern "C" int fcntl(int descriptor, int command, ...) {
  if (command == F_SETLK && before_lock) before_lock();
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return static_cast<int>(::syscall(SYS_fcntl, descriptor, command, argument));
}

namespace ringlog::io {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  posix_file_system disk_;
  temporary_directory directory_;
};

TEST_F(PosixFileSystemTest, DescriptorsAreNotInheritedByPrograms) {
  const auto opened = disk_.open(directory_ / "a", open_mode::create).value();
  EXPECT_EQ(::fcntl(opened->descriptor(), F_GETFD), FD_CLOEXEC);
}

TEST_F(PosixFileSystemTest, ParentOf) {
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of("c"), ".");
  EXPECT_EQ(parent_of("/c"), "/");
}

TEST_F(PosixFileSystemTest, FailuresSayWhatToDo) {
  const auto missing = disk_.open(directory_ / "no/file", open_mode::create);
  EXPECT_EQ(missing.failure().message,
            "cannot open " + (directory_ / "no/file") + ": No such file or directory");
  const auto full = disk_.open("/dev/full", open_mode::read_write).value();
  const status written = full->write_at(0, as_bytes("a"));
  EXPECT_EQ(written.code(), error_code::no_space);
  EXPECT_NE(written.failure().message.find("free space"), std::string::npos);
}

TEST_F(PosixFileSystemTest, ALockExcludesThisProcessByEveryPath) {
  auto held = disk_.lock(directory_ / ".lock").value();
  ASSERT_EQ(::symlink(directory_.path().c_str(), (directory_ / "link").c_str()), 0);
  const auto second = disk_.lock(directory_ / "link/.lock");
  EXPECT_EQ(second.code(), error_code::locked);
  EXPECT_NE(second.failure().message.find(std::to_string(::getpid())), std::string::npos);
  // The refused attempt must not have dropped the lock: a child still meets it.
  EXPECT_EQ(in_child([&] { return disk_.lock(directory_ / ".lock").ok() ? 1 : 0; }), 0);
  held.reset();
  EXPECT_TRUE(disk_.lock(directory_ / "link/.lock").ok());
}

TEST_F(PosixFileSystemTest, TheHolderOfALockIsKnown) {
  const std::string path = directory_ / ".lock";
  EXPECT_EQ(find_lock_holder(path).value(), 0);
  EXPECT_FALSE(disk_.exists(path).value());
  auto held = disk_.lock(path).value();
  EXPECT_EQ(find_lock_holder(path).value(), ::getpid());
  const pid_t parent = ::getpid();
  const auto sees_parent = [&] { return find_lock_holder(path).value() == parent ? 0 : 1; };
  EXPECT_EQ(in_child(sees_parent), 0);
  EXPECT_EQ(in_child([&] { return disk_.lock(path).ok() ? 1 : 0; }), 0) << "asking dropped it";
  held.reset();
  EXPECT_EQ(find_lock_holder(path).value(), 0);
  EXPECT_EQ(in_child([&] { return find_lock_holder(path).value(); }), 0);
}

TEST_F(PosixFileSystemTest, ALockIsOfTheFileThatThePathNamesInTheEnd) {
  const std::string path = directory_ / ".lock";
  const auto remove = [&] { std::filesystem::remove(path); };
  const auto replace = [&] { ASSERT_TRUE(replace_file(disk_, path, as_bytes("another")).ok()); };
  for (const std::function<void()>& change : std::vector<std::function<void()>>{remove, replace}) {
    before_lock = [&change] {
      const auto once = std::exchange(before_lock, nullptr);
      change();
    };
    const auto held = disk_.lock(path);
    before_lock = nullptr;
    ASSERT_TRUE(held.ok()) << held.failure().message;
    EXPECT_EQ(in_child([&] { return disk_.lock(path).ok() ? 1 : 0; }), 0);
  }
}

TEST_F(PosixFileSystemTest, ALockThatIsAlwaysReplacedIsGivenUp) {
  const std::string path = directory_ / ".lock";
  int replaced = 0;
  before_lock = [&] { replaced += std::filesystem::remove(path) ? 1 : 0; };
  const auto refused = disk_.lock(path);
  before_lock = nullptr;
  EXPECT_EQ(refused.code(), error_code::locked);
  EXPECT_NE(refused.failure().message.find("deleted or replaced each of 10 times"),
            std::string::npos)
      << refused.failure().message;
  EXPECT_EQ(replaced, 10);
  EXPECT_TRUE(disk_.lock(path).ok());
}

TEST_F(PosixFileSystemTest, ALockExcludesOtherProcessesAndNamesTheHolder) {
  const auto held = disk_.lock(directory_ / ".lock").value();
  const std::string pid = std::to_string(::getpid());
  EXPECT_EQ(in_child([&] {
              const auto refused = disk_.lock(directory_ / ".lock");
              if (refused.ok()) return 1;
              if (refused.code() != error_code::locked) return 2;
              return refused.failure().message.find("process " + pid) == std::string::npos ? 3 : 0;
            }),
            0);
}

TEST_F(PosixFileSystemTest, AForkedChildNeitherHoldsNorDropsTheLock) {
  auto held = disk_.lock(directory_ / ".lock").value();
  EXPECT_EQ(in_child([&] {
              held.reset();
              return 0;
            }),
            0);
  EXPECT_EQ(in_child([&] { return disk_.lock(directory_ / ".lock").ok() ? 1 : 0; }), 0);
  held.reset();
  EXPECT_EQ(in_child([&] { return disk_.lock(directory_ / ".lock").ok() ? 0 : 1; }), 0);
}

TEST_F(PosixFileSystemTest, WithoutDirectAccessAFileIsOpenedOrdinarily) {
  // A character device has none: EINVAL at open.
  const auto ordinary = disk_.open_direct("/dev/full").value();
  EXPECT_FALSE(ordinary->is_direct());
  const auto file = disk_.open(directory_ / "a", open_mode::create).value();
  EXPECT_FALSE(file->is_direct());
  ASSERT_TRUE(file->resize(3 * direct_alignment).ok());
  const auto opened = disk_.open_direct(directory_ / "a").value();
  EXPECT_EQ(opened->is_direct(), (::fcntl(opened->descriptor(), F_GETFL) & O_DIRECT) != 0);
  EXPECT_EQ(::fcntl(opened->descriptor(), F_GETFD), FD_CLOEXEC);
}

// A file system that takes O_DIRECT at open and refuses the first transfer.
TEST_F(PosixFileSystemTest, ARefusedFirstReadCountsAsNoDirectAccess) {
  ASSERT_TRUE(replace_file(disk_, directory_ / "a", as_bytes("content")).ok());
  refused_direct_read = EINVAL;
  const auto ordinary = disk_.open_direct(directory_ / "a");
  refused_direct_read = EIO;
  const auto failed = disk_.open_direct(directory_ / "a");
  refused_direct_read = 0;
  ASSERT_TRUE(ordinary.ok());
  EXPECT_FALSE((*ordinary)->is_direct());
  byte_buffer target(3);  // neither aligned nor whole
  EXPECT_EQ((*ordinary)->read_at(1, target).value(), 3u);
  EXPECT_EQ(failed.code(), error_code::io_error);
}

TEST_F(PosixFileSystemTest, ANetworkFileSystemIsNotWrittenTo) {
  pretended_type = 0x6969;
  const auto refused = disk_.lock(directory_ / ".lock");
  const auto whole = disk_.open_volume(directory_.path());
  pretended_type = 0;
  EXPECT_EQ(refused.code(), error_code::unsupported);
  EXPECT_EQ(refused.failure().message,
            directory_.path() +
                " is on a network file system (NFS), which loses locks and synced data when the "
                "connection breaks: choose a directory on a local disk");
  EXPECT_EQ(whole.code(), error_code::unsupported);
  EXPECT_FALSE(disk_.exists(directory_ / ".lock").value());
  EXPECT_TRUE(disk_.lock(directory_ / ".lock").ok());
}

TEST(FileSystemTypeTest, Table) {
  const std::pair<std::uint32_t, std::string_view> network[] = {
      {NFS_SUPER_MAGIC, "NFS"},   {SMB_SUPER_MAGIC, "SMB"},     {CIFS_SUPER_MAGIC, "CIFS"},
      {SMB2_SUPER_MAGIC, "SMB2"}, {V9FS_MAGIC, "9p"},           {CEPH_SUPER_MAGIC, "Ceph"},
      {AFS_FS_MAGIC, "AFS"},      {AFS_SUPER_MAGIC, "OpenAFS"}, {CODA_SUPER_MAGIC, "Coda"},
      {NCP_SUPER_MAGIC, "NCP"},
  };
  for (const auto& [type, name] : network) {
    EXPECT_EQ(network_file_system(type), name);
    EXPECT_FALSE(syncs_as_a_whole(type)) << name;
  }
  for (const std::uint32_t whole : {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC}) {
    EXPECT_FALSE(network_file_system(whole));
    EXPECT_TRUE(syncs_as_a_whole(whole)) << whole;
  }
  EXPECT_TRUE(syncs_as_a_whole(BTRFS_SUPER_MAGIC));
  EXPECT_TRUE(syncs_as_a_whole(F2FS_SUPER_MAGIC));
  for (const std::uint32_t single : {FUSE_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC}) {
    EXPECT_FALSE(network_file_system(single));
    EXPECT_FALSE(syncs_as_a_whole(single)) << single;
  }
  EXPECT_EQ(file_system_type("/proc").value(), static_cast<std::uint32_t>(PROC_SUPER_MAGIC));
  EXPECT_EQ(file_system_type("/proc/no/such").code(), error_code::not_found);
}

TEST(AlignedBufferTest, IsAlignedZeroedAndNotForTheChild) {
  auto buffer = aligned_buffer::make(direct_alignment + 1).value();
  EXPECT_EQ(buffer.size(), 2 * direct_alignment);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % direct_alignment, 0u);
  EXPECT_TRUE(
      std::ranges::all_of(buffer.bytes(), [](std::byte each) { return each == std::byte{}; }));
  EXPECT_EQ(aligned_buffer::make(0).value().size(), 0u);
  aligned_buffer moved = std::move(buffer);
  moved.data()[moved.size() - 1] = std::byte{1};
  const auto drop_it = [&] {
    unsigned char present = 0;
    // No mapping there: ENOMEM. What takes the place since is not the buffer's to free.
    if (::mincore(moved.data(), direct_alignment, &present) == 0 || errno != ENOMEM) return 1;
    void* taken = ::mmap(moved.data(), direct_alignment, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (taken != moved.data()) return 2;
    { const aligned_buffer dropped = std::move(moved); }
    return ::mincore(taken, direct_alignment, &present) == 0 ? 0 : 3;
  };
  EXPECT_EQ(in_child(drop_it), 0);
}

TEST(SystemRandomTest, ThreadsAndChildrenGetNumbersOfTheirOwn) {
  system_random random;
  const std::uint64_t first = random.next();
  EXPECT_NE(random.next(), first);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::uint64_t number = random.next();
    ::_exit(::write(ends[1], &number, sizeof(number)) == sizeof(number) ? 0 : 1);
  }
  std::uint64_t of_child = 0;
  ASSERT_EQ(::read(ends[0], &of_child, sizeof(of_child)), static_cast<ssize_t>(sizeof(of_child)));
  EXPECT_NE(random.next(), of_child);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  std::thread other([&] { (void)random.next(); });
  (void)random.next();
  other.join();
}

TEST(SystemClockTest, MovesForward) {
  const system_clock time;
  const monotonic_time before = time.now();
  EXPECT_GE(time.now(), before);
  EXPECT_GT(time.wall_ms(), 1'700'000'000'000);
}

}  // namespace
}  // namespace ringlog::io
