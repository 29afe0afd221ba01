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
