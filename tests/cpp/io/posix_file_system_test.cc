#include "io/posix_file_system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "io/system_clock.h"
#include "io/system_random.h"
#include "io/temporary_directory.h"

namespace ringlog::io {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  // Runs `body` in a forked child; its answer (0 to 255).
  template <typename Body>
  static int in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int outcome = 0;
    CHECK(::waitpid(child, &outcome, 0) == child, "waitpid");
    CHECK(WIFEXITED(outcome), "the child died", outcome);
    return WEXITSTATUS(outcome);
  }

  posix_file_system disk_;
  temporary_directory directory_;
};

TEST_F(PosixFileSystemTest, OpenModes) {
  const std::string path = directory_ / "a";
  EXPECT_EQ(disk_.open(path, open_mode::read).code(), error_code::not_found);
  EXPECT_EQ(disk_.open(path, open_mode::read_write).code(), error_code::not_found);
  ASSERT_TRUE(disk_.open(path, open_mode::create_new).ok());
  EXPECT_EQ(disk_.open(path, open_mode::create_new).code(), error_code::already_exists);
  const auto opened = disk_.open(path, open_mode::create).value();
  EXPECT_EQ(::fcntl(opened->descriptor(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(opened->path(), path);
  ASSERT_TRUE(opened->write_at(5, as_bytes("abc")).ok());
  EXPECT_EQ(opened->size().value(), 8u);
  ASSERT_TRUE(opened->reserve(100'000).ok());
  EXPECT_EQ(opened->size().value(), 8u);
  ASSERT_TRUE(opened->resize(6).ok());
  EXPECT_EQ(read_file(disk_, path, 6).value(), to_buffer(as_bytes(std::string("\0\0\0\0\0a", 6))));
  EXPECT_EQ(read_file(disk_, path, 5).code(), error_code::corrupt);
  const auto read_only = disk_.open(path, open_mode::read).value();
  EXPECT_FALSE(read_only->write_at(0, as_bytes("x")).ok());
}

TEST_F(PosixFileSystemTest, NamesAndDirectories) {
  const std::string deep = directory_ / "a/b/c";
  ASSERT_TRUE(disk_.make_directories(deep).ok());
  ASSERT_TRUE(disk_.make_directories(deep).ok());
  ASSERT_TRUE(replace_file(disk_, deep + "/z", as_bytes("first, longer")).ok());
  ASSERT_TRUE(replace_file(disk_, deep + "/z", as_bytes("second")).ok());
  ASSERT_TRUE(disk_.make_directories(deep + "/y").ok());
  EXPECT_EQ(to_string(read_file(disk_, deep + "/z", 100).value()), "second");
  const auto entries = disk_.list(deep).value();
  ASSERT_EQ(entries.size(), 2u);  // no .tmp left
  EXPECT_EQ(entries[0].name, "y");
  EXPECT_TRUE(entries[0].is_directory);
  EXPECT_EQ(entries[1].name, "z");
  EXPECT_EQ(entries[1].size, 6u);
  EXPECT_FALSE(disk_.make_directories(deep + "/z").ok());
  ASSERT_TRUE(disk_.rename(deep + "/z", deep + "/y/z").ok());
  EXPECT_FALSE(disk_.remove(deep + "/y").ok());
  EXPECT_TRUE(disk_.exists(deep + "/y/z").value());
  ASSERT_TRUE(disk_.remove(deep + "/y/z").ok());
  ASSERT_TRUE(disk_.remove(deep + "/y").ok());
  EXPECT_EQ(disk_.remove(deep + "/y").code(), error_code::not_found);
  ASSERT_TRUE(disk_.sync_directory(deep).ok());
  EXPECT_EQ(disk_.identify(deep).value(), disk_.identify(deep + "/../c").value());
  EXPECT_NE(disk_.identify(deep).value(), disk_.identify(directory_.path()).value());
  EXPECT_GT(disk_.available_bytes(deep).value(), 0u);
  ASSERT_TRUE(disk_.remove_tree(directory_ / "a").ok());
  ASSERT_TRUE(disk_.remove_tree(directory_ / "a").ok());
  EXPECT_FALSE(disk_.exists(deep).value());
  EXPECT_EQ(disk_.list(deep).code(), error_code::not_found);
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
