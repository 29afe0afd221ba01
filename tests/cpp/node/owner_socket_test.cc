#include "node/owner_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <thread>

#include "io/posix_file_system.h"
#include "io/socket_address.h"
#include "io/temporary_directory.h"
#include "node/address.h"

namespace ringlog::node {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds long_enough{20'000};

std::ptrdiff_t thread_count() {
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
}

template <typename Holds>
bool wait_until(Holds holds) {
  const auto end = std::chrono::steady_clock::now() + long_enough;
  while (!holds() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  return holds();
}

class OwnerSocketTest : public testing::Test {
 protected:
  ~OwnerSocketTest() override { close_all(long_enough); }

  io::owned_descriptor connect() const {
    io::owned_descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto target = io::socket_address::of_path(socket_).to_system().value();
    CHECK(::connect(made.number(), target.address(), target.size) == 0, "connect", errno);
    return made;
  }

  const io::temporary_directory directory_;
  const std::string address_ = "file:" + (directory_ / "data");
  const std::string socket_ = directory_ / "data/ringlog.sock";
};

TEST_F(OwnerSocketTest, IsThereWhileTheLogIsOpen) {
  const auto opened = open(address_).value();
  EXPECT_TRUE(fs::is_socket(socket_));
  EXPECT_TRUE(close(address_, long_enough).ok());
  EXPECT_FALSE(fs::exists(socket_));
}

TEST_F(OwnerSocketTest, CostsNoThreadBeforeSomebodyConnects) {
  const auto first = open("memory:first").value();  // starts what all nodes of a process share
  const auto before = thread_count();
  const auto second = open("memory:second").value();
  const auto each = thread_count() - before;
  const auto opened = open(address_).value();
  const auto alone = thread_count();
  // On a disk a node may have its helper thread, too.
  EXPECT_LE(alone - before, 2 * each + 1);
  const io::owned_descriptor client = connect();
  EXPECT_TRUE(wait_until([&] { return thread_count() > alone; }));
}

TEST_F(OwnerSocketTest, ClosesItsConnectionsWithTheLog) {
  const auto opened = open(address_).value();
  const io::owned_descriptor client = connect();
  EXPECT_TRUE(close(address_, long_enough).ok());
  char end = 0;
  EXPECT_EQ(::recv(client.number(), &end, 1, 0), 0);
}

TEST_F(OwnerSocketTest, WhereNoneCanBeMadeTheLogIsOpenAllTheSame) {
  fs::create_directories(socket_);  // no socket takes the place of a directory
  const auto opened = open(address_);
  ASSERT_TRUE(opened.ok()) << opened.failure().message;
  EXPECT_TRUE((*opened)->check_usable().ok());
  EXPECT_TRUE(close(address_, long_enough).ok());
}

TEST_F(OwnerSocketTest, TheOwnerIsWhoHoldsTheLock) {
  io::posix_file_system disk;
  const directory_layout layout = prepare_directory(disk, directory_ / "data").value();
  EXPECT_EQ(socket_path(layout), socket_);
  EXPECT_EQ(find_owner(layout).value(), 0);
  const auto opened = open(address_).value();
  EXPECT_EQ(find_owner(layout).value(), ::getpid());
  EXPECT_TRUE(close(address_, long_enough).ok());
  EXPECT_EQ(find_owner(layout).value(), 0);
}

}  // namespace
}  // namespace ringlog::node
