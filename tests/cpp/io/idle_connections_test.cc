#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "io/network_fixture.h"
#include "sanitizers.h"

namespace ringlog::io {
namespace {

// Beyond the kernel's. What a Kafka connection adds has to fit in 4 KiB together with it.
constexpr std::size_t bytes_per_connection_max = 768;

class waiting_user final : public connection_user {
 public:
  void opened(connection&) override {}
  void received(bytes_view) override {}
  void peer_ended() override {}
  void closed(const error&) override {}
};

class IdleConnectionsTest : public network_fixture {};

std::size_t allocated() { return ::mallinfo2().uordblks; }

// Connects as often as it can, up to `count`, each time sends one byte, and waits for the parent.
[[noreturn]] void be_clients(const socket_address& where, std::size_t count, int until) {
  const auto target = where.to_system();
  std::vector<owned_descriptor> sockets;
  while (sockets.size() < count) {
    owned_descriptor one(::socket(AF_INET, SOCK_STREAM, 0));
    if (!one.is_open() || ::connect(one.number(), target->address(), target->size) != 0) break;
    if (::send(one.number(), "x", 1, 0) != 1) break;
    sockets.push_back(std::move(one));
  }
  char ignored = 0;
  [[maybe_unused]] const auto size = ::read(until, &ignored, 1);
  ::_exit(0);
}

TEST_P(IdleConnectionsTest, TenThousandCostLittle) {
  constexpr std::size_t count = 10'000;
  rlimit files;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_max < count + 100) {
    GTEST_SKIP() << "the limit of open files is " << files.rlim_max << " (ulimit -Hn)";
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t child = 0;
  std::size_t before = 0;
  std::size_t after_all = 0;
  std::size_t accepted = 0;
  run([&] {
    const socket_address where =
        listen(any_port(), [&](const socket_address&, const socket_address&) {
          if (++accepted == 1) before = allocated();
          if (accepted == count) {
            after(milliseconds(300), [&] {  // the last bytes have come, too
              after_all = allocated();
              finish();
            });
          }
          return listener_user::answer{network_.get(), std::make_unique<waiting_user>()};
        });
    child = ::fork();
    if (child == 0) {
      ::close(ends[1]);
      be_clients(where, count, ends[0]);
    }
  });
  ::close(ends[0]);
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  ASSERT_EQ(accepted, count);
  const std::size_t each = (after_all - before) / count;
  std::printf("bytes of memory per idle connection: %zu\n", each);
  if (has_address_sanitizer || has_thread_sanitizer) {
    GTEST_SKIP() << "a sanitizer's memory says nothing";
  }
  EXPECT_GT(each, 0u);
  EXPECT_LE(each, bytes_per_connection_max);
}

INSTANTIATE_TEST_SUITE_P(, IdleConnectionsTest, every_engine, name_of_engine);

}  // namespace
}  // namespace ringlog::io
