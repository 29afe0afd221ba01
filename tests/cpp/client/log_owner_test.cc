#include "client/remote/log_owner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "io/temporary_directory.h"

namespace ringlog::client::remote {
namespace {

constexpr milliseconds long_enough{20'000};

class moved_clock final : public clock {
 public:
  std::int64_t wall_ms() const override { return 0; }
  monotonic_time now() const override { return now_; }
  void pass(nanoseconds time) { now_ = now_ + time; }

 private:
  monotonic_time now_{std::chrono::hours(1)};
};

// A process that locks a file as a program of another kind would, until the end of this.
class locking_process {
 public:
  explicit locking_process(const std::string& path) {
    std::array<int, 2> ends{};
    CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0, "pipe", errno);
    process_ = ::fork();
    if (process_ == 0) {
      struct flock whole {};
      whole.l_type = F_WRLCK;
      const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (::fcntl(file, F_SETLK, &whole) == 0) (void)!::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    ::close(ends[1]);
    char said = 0;
    CHECK(::read(ends[0], &said, 1) == 1, "the lock was not to be had");
    ::close(ends[0]);
  }
  ~locking_process() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  int process() const { return process_; }

 private:
  pid_t process_;
};

class LogOwnerTest : public testing::Test {
 protected:
  ~LogOwnerTest() override { node::close_all(long_enough); }

  std::shared_ptr<log_owner> make() {
    return log_owner::of(node::parse_address(address_).value(), {}, clock_).value();
  }
  void close_log() { ASSERT_TRUE(node::close(address_, long_enough).ok()); }

  const io::temporary_directory directory_;
  const std::string address_ = "file:" + (directory_ / "data");
  moved_clock clock_;
};

TEST_F(LogOwnerTest, IsThisProcessWhenNobodyIs) {
  const auto owner = make();
  EXPECT_EQ(owner->describe(), "");
  const auto found = owner->find().value();
  EXPECT_EQ(found.process, ::getpid());
  EXPECT_EQ(found.socket.path(), directory_ / "data/ringlog.sock");
  EXPECT_TRUE(std::filesystem::is_socket(found.socket.path()));
  EXPECT_EQ(owner->describe(), "this process owns " + address_);
  // Others find it, too.
  EXPECT_EQ(make()->find().value().process, ::getpid());
}

TEST_F(LogOwnerTest, AClosedLogIsNotOpenedAnew) {
  const auto owner = make();
  ASSERT_TRUE(owner->find().ok());
  close_log();
  EXPECT_EQ(owner->check_usable().code(), error_code::closed);
  EXPECT_EQ(owner->find().code(), error_code::closed);
  EXPECT_TRUE(make()->find().ok());
}

TEST_F(LogOwnerTest, IsWhoHoldsTheLockAndThenTheNext) {
  const auto owner = make();
  {
    const locking_process other(directory_ / "data/log/.lock");
    EXPECT_EQ(owner->find().value().process, other.process());
    EXPECT_EQ(owner->describe(), fmt::format("process {} owns {}", other.process(), address_));
    ::kill(other.process(), SIGSTOP);
    ::waitpid(other.process(), nullptr, WUNTRACED);
    EXPECT_NE(owner->describe().find("is stopped"), std::string::npos) << owner->describe();
  }
  EXPECT_EQ(owner->find().value().process, ::getpid());
}

TEST_F(LogOwnerTest, WhoLocksALogThatIsNotInUseAndIsNeverReachedDoesNotShare) {
  ASSERT_TRUE(make()->find().ok());
  close_log();  // cleanly: with its identity
  const locking_process other(directory_ / "data/log/.lock");
  const auto owner = make();
  ASSERT_EQ(owner->find().value().process, other.process());
  EXPECT_TRUE(owner->check_sharing().ok());
  clock_.pass(std::chrono::minutes(1));
  ASSERT_TRUE(owner->find().ok());
  const status sharing = owner->check_sharing();
  ASSERT_EQ(sharing.code(), error_code::locked);
  EXPECT_NE(sharing.failure().message.find(std::to_string(other.process())), std::string::npos);
  owner->note_reached(other.process());
  EXPECT_TRUE(owner->check_sharing().ok());
}

TEST_F(LogOwnerTest, WhoIsAtWorkOnWhatAKilledProcessLeftIsWaitedFor) {
  const auto owner = make();  // makes the directory, which has no identity yet
  const locking_process other(directory_ / "data/log/.lock");
  ASSERT_TRUE(owner->find().ok());
  clock_.pass(std::chrono::minutes(1));
  ASSERT_TRUE(owner->find().ok());
  EXPECT_TRUE(owner->check_sharing().ok());
}

}  // namespace
}  // namespace ringlog::client::remote
