#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <thread>

#include "base/random.h"
#include "in_child.h"
#include "io/network_fixture.h"
#include "io/network_limits.h"
#include "io/receive_buffers.h"
#include "io/temporary_directory.h"
#include "random_seed.h"
#include "sanitizers.h"

namespace ringlog::io {
namespace {

error by(std::string_view who) { return make_error(error_code::closed, "closed by {}", who); }

std::string letters(std::size_t size) {
  std::string made(size, '-');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  return made;
}

class NetworkTest : public network_fixture {
 protected:
  // Sends a text to `where`, where it is echoed until the client ends.
  void echo(const socket_address& where, const std::string& text) {
    side server;
    side client;
    server.when_received = [](side& self, bytes_view bytes) { self.send(to_string(bytes)); };
    server.when_peer_ended = [](side& self) { self.mine->end_sending(); };
    client.when_opened = [&](side& self) {
      self.send(text.substr(0, 1));
      self.send({});
      self.send(text.substr(1));
      self.mine->end_sending();
    };
    finish_after(server, client);
    run([&] { connect(listen(where, server), client); });
    EXPECT_EQ(server.received, text);
    EXPECT_EQ(client.received, text);
    EXPECT_TRUE(client.peer_ended);
    EXPECT_EQ(client.cause->code, error_code::closed) << client.cause->message;
    EXPECT_EQ(server.cause->code, error_code::closed) << server.cause->message;
    EXPECT_EQ(network_->connection_count(), 0u);
  }
};

TEST_P(NetworkTest, EchoOverIpv4) { echo(any_port(), "hello, world"); }

TEST_P(NetworkTest, EchoOverIpv6) {
  echo(socket_address::parse("[::1]:0").value(), "hello, world");
}

TEST_P(NetworkTest, EchoOverAUnixSocket) {
  const temporary_directory directory;
  echo(socket_address::of_path(directory / "socket"), "hello, world");
}

TEST_P(NetworkTest, EchoOverAUnixSocketOfALongPath) {
  const temporary_directory directory;
  const std::string deep = directory / std::string(150, 'd');
  std::filesystem::create_directory(deep);
  echo(socket_address::of_path(deep + "/socket"), "hello, world");
  EXPECT_TRUE(std::filesystem::exists(deep + "/socket"));
}

TEST_P(NetworkTest, ListeningOnAnyIpv6AddressTakesIpv4) {
  side server;
  side client;
  std::string peer;
  server.when_opened = [&](side& self) {
    peer = self.mine->peer().host();
    self.mine->close(by("server"));
  };
  finish_after(server, client);
  client.when_peer_ended = [](side& self) { self.mine->close(by("client")); };
  run([&] {
    const socket_address bound = listen(socket_address::parse("[::]:0").value(), server);
    EXPECT_NE(bound.port(), 0);
    connect(socket_address::of_host("127.0.0.1", bound.port()).value(), client);
  });
  EXPECT_EQ(peer, "127.0.0.1");
}

TEST_P(NetworkTest, AUnixSocketTellsItsPeersProcess) {
  const temporary_directory directory;
  side server;
  side client;
  const auto check = [](side& self) { EXPECT_EQ(self.mine->peer_process().value(), ::getpid()); };
  client.when_opened = check;
  server.when_opened = [&](side& self) {
    check(self);
    self.mine->close(by("server"));
  };
  client.when_peer_ended = [](side& self) { self.mine->close(by("client")); };
  finish_after(server, client);
  run([&] { connect(listen(socket_address::of_path(directory / "socket"), server), client); });
  EXPECT_EQ(client.cause->message, "closed by client");
}

// A process that is killed while a child of its own lives on: its peers hear of its end at once.
TEST_P(NetworkTest, AForkedChildKeepsNoConnection) {
  const temporary_directory directory;
  const auto where = socket_address::of_path(directory / "socket");
  std::array<int, 2> lives{};
  ASSERT_EQ(::pipe(lives.data()), 0);
  const pid_t server = ::fork();
  if (server == 0) {
    ::close(lives[1]);
    network_.reset();
    static_cast<void>(engine_.release());  // a ring does not outlive a fork
    engine_ = make_engine(GetParam(), clock_, sink_).value();
    network_ = std::make_unique<socket_network>(*engine_, clock_);
    side accepted;
    accepted.when_received = [&](side&, bytes_view) {
      char end;
      if (::fork() == 0) ::_exit(::read(lives[0], &end, 1) == 0 ? 0 : 1);
      ::raise(SIGKILL);
    };
    run([&] { listen(where, accepted); });
  }
  ::close(lives[0]);
  const owned_descriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(client.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const auto target = where.to_system().value();
  while (::connect(client.number(), target.address(), target.size) != 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(::send(client.number(), "x", 1, 0), 1);
  char end = 0;
  ssize_t received = 0;
  do {
    received = ::recv(client.number(), &end, 1, 0);  // this process's own ring may interrupt it
  } while (received < 0 && errno == EINTR);
  EXPECT_TRUE(received == 0 || (received < 0 && errno == ECONNRESET)) << received << " " << errno;
  // The kernel takes a dead process's ring apart a moment later, and its listener with it.
  int refused = 0;
  for (int i = 0; refused == 0 && i < 20'000; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const owned_descriptor late(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(late.number(), target.address(), target.size) != 0) refused = errno;
  }
  EXPECT_EQ(refused, ECONNREFUSED);
  ::close(lives[1]);
  int outcome = 0;
  EXPECT_EQ(::waitpid(server, &outcome, 0), server);
  EXPECT_TRUE(WIFSIGNALED(outcome) && WTERMSIG(outcome) == SIGKILL) << outcome;
}

// Parts of all sizes, in one list and in many, through buffers that take a part of one only.
TEST_P(NetworkTest, LargeTransfersThroughSmallBuffers) {
  const std::uint64_t seed = test_seed();
  seeded_random random(seed);
  const std::string text = letters(4 * limits::MiB);
  const auto owner = std::make_shared<int>(1);
  side server;
  side client;
  client.when_opened = [&](side& self) {
    for (std::size_t position = 0; position < text.size();) {
      std::vector<shared_bytes> parts;
      for (std::uint64_t count = random.below(2000); count-- > 0;) {
        const auto size =
            static_cast<std::size_t>(random.below(random.below(10) == 0 ? 50000 : 50));
        const std::string_view part = std::string_view(text).substr(position, size);
        parts.push_back({owner, as_bytes(part)});
        position += part.size();
      }
      self.mine->send(std::move(parts));
    }
    EXPECT_EQ(self.mine->unsent_bytes(), text.size());
    EXPECT_GT(owner.use_count(), 1);
    self.mine->end_sending();
  };
  client.when_sent = [&](side& self) {
    if (self.mine->unsent_bytes() > 0) return;
    EXPECT_EQ(owner.use_count(), 1);
  };
  server.when_peer_ended = [](side& self) { self.mine->end_sending(); };
  finish_after(server, client);
  const socket_options small{.send_buffer_bytes = 4096, .receive_buffer_bytes = 4096};
  run([&] { connect(listen(any_port(), server, small), client, small); });
  EXPECT_TRUE(server.received == text) << "seed " << seed << ", bytes " << server.received.size();
  EXPECT_GT(client.sent_calls, 10);
}

TEST_P(NetworkTest, AHalfClosedPeerStillReceives) {
  const std::string text = letters(limits::MiB);
  side server;
  side client;
  client.when_opened = [](side& self) { self.mine->end_sending(); };
  server.when_peer_ended = [&](side& self) {
    after(milliseconds(20), [&] {
      self.send(text);
      self.mine->end_sending();
    });
  };
  finish_after(server, client);
  run([&] { connect(listen(any_port(), server), client); });
  EXPECT_TRUE(client.received == text);
}

TEST_P(NetworkTest, AResetPeerIsTold) {
  side server;
  side client;
  server.when_opened = [](side& self) { self.send("hello"); };
  client.when_received = [](side& self, bytes_view) { self.mine->reset(by("client")); };
  finish_after(server, client);
  run([&] { connect(listen(any_port(), server), client); });
  EXPECT_EQ(client.cause->message, "closed by client");
  EXPECT_EQ(server.cause->code, error_code::closed);
  EXPECT_NE(server.cause->message.find("cannot receive from 127.0.0.1:"), std::string::npos);
  EXPECT_NE(server.cause->message.find("reset by peer"), std::string::npos);
}

// Its connection waits, bounded by what its user gives to send; others are served meanwhile.
TEST_P(NetworkTest, APeerThatNeverReads) {
  const std::string text = letters(4 * limits::MiB);
  side server;
  side client;
  side other_server;
  side other;
  std::size_t unsent = 0;
  client.when_opened = [](side& self) { self.mine->pause(); };
  server.when_opened = [&](side& self) { self.send(text); };
  other_server.when_received = [](side& self, bytes_view bytes) { self.send(to_string(bytes)); };
  other.when_opened = [](side& self) { self.send("ping"); };
  other.when_received = [&](side&, bytes_view) {
    EXPECT_EQ(client.received, "");
    unsent = server.mine->unsent_bytes();
    client.mine->resume();
  };
  client.when_received = [&](side& self, bytes_view) {
    if (self.received.size() == text.size()) finish();
  };
  const socket_options small{.send_buffer_bytes = 4096, .receive_buffer_bytes = 4096};
  run([&] {
    connect(listen(any_port(), server, small), client, small);
    const socket_address where = listen(any_port(), other_server);
    after(milliseconds(100), [&, where] { connect(where, other); });
  });
  EXPECT_GT(unsent, text.size() / 2);
  EXPECT_LT(unsent, text.size());
  EXPECT_TRUE(client.received == text);
}

TEST_P(NetworkTest, NothingIsReceivedDuringAPause) {
  const std::string text = letters(4 * limits::MiB);
  side server;
  side client;
  client.when_opened = [&](side& self) {
    self.send(text);
    self.mine->end_sending();
  };
  bool paused = false;
  int pauses = 0;
  server.when_received = [&](side& self, bytes_view) {
    EXPECT_FALSE(paused);
    paused = true;
    ++pauses;
    self.mine->pause();
    self.mine->pause();
    after(nanoseconds(pauses % 2 == 0 ? 0 : 3'000'000), [&] {
      paused = false;
      self.mine->resume();
      self.mine->resume();
    });
  };
  server.when_peer_ended = [&](side& self) {
    EXPECT_FALSE(paused);
    self.mine->end_sending();
  };
  finish_after(server, client);
  run([&] { connect(listen(any_port(), server), client); });
  EXPECT_TRUE(server.received == text);
  EXPECT_GT(pauses, 3);
}

// Far more bytes arrive at once than the engine has buffers for.
TEST_P(NetworkTest, ManyConnectionsMoreThanThereAreBuffers) {
  constexpr std::size_t count = 3 * limits::receive_buffers;
  const std::string text = letters(3 * limits::receive_buffer_bytes);
  std::deque<side> servers;
  std::deque<side> clients(count);
  std::size_t open = 0;
  std::size_t over = 0;
  run([&] {
    const socket_address where =
        listen(any_port(), [&](const socket_address&, const socket_address&) {
          side& server = servers.emplace_back();
          server.when_received = [](side& self, bytes_view bytes) { self.send(to_string(bytes)); };
          return listener_user::answer{network_.get(), std::make_unique<side_user>(server)};
        });
    for (side& client : clients) {
      client.when_opened = [&](side&) {
        if (++open < count) return;
        for (side& each : clients) each.send(text);
      };
      client.when_received = [&](side& self, bytes_view) {
        if (self.received.size() == text.size() && ++over == count) finish();
      };
      connect(where, client);
    }
  });
  for (const side& client : clients) EXPECT_TRUE(client.received == text);
  EXPECT_EQ(servers.size(), count);
}

// Each is closed at its first bytes, when the engine has more of them; the last one is echoed.
TEST_P(NetworkTest, ClosedConnectionsGiveTheirBuffersBack) {
  constexpr std::size_t count = 4 * limits::receive_buffers;
  const std::string text = letters(limits::MiB);
  std::deque<side> servers;
  std::deque<side> clients;
  socket_address where;
  const std::function<void()> connect_next = [&] {
    side& client = clients.emplace_back();
    const bool is_last = clients.size() == count;
    client.when_opened = [&text](side& self) { self.send(text); };
    client.when_received = [&, is_last](side& self, bytes_view) {
      if (is_last && self.received.size() == text.size()) finish();
    };
    client.when_peer_ended = [](side& self) { self.mine->close(by("client")); };
    client.when_closed = [&, is_last](side&) {
      if (!is_last) connect_next();
    };
    connect(where, client);
  };
  run([&] {
    where = listen(any_port(), [&](const socket_address&, const socket_address&) {
      side& server = servers.emplace_back();
      const bool is_last = servers.size() == count;
      server.when_received = [is_last](side& self, bytes_view bytes) {
        if (is_last) return self.send(to_string(bytes));
        self.mine->reset(by("server"));
      };
      return listener_user::answer{network_.get(), std::make_unique<side_user>(server)};
    });
    connect_next();
  });
  EXPECT_TRUE(clients.back().received == text);
}

// Sends, receives, a connect and timers under way: whatever the moment, each end hears of it once.
TEST_P(NetworkTest, CloseAtAnyMoment) {
  const std::uint64_t seed = test_seed();
  seeded_random random(seed);
  constexpr std::size_t count = 100;
  const std::string text = letters(2 * limits::MiB);
  std::deque<side> sides;
  std::size_t closed = 0;
  const auto make_side = [&]() -> side& {
    side& made = sides.emplace_back();
    made.when_opened = [&](side& self) {
      if (random.below(8) == 0) self.mine->pause();
      const auto size = static_cast<std::size_t>(random.below(text.size()));
      self.mine->send({{nullptr, as_bytes(text).first(size)}});
      after(nanoseconds(random.below(10'000'000)), [&] {
        if (self.mine == nullptr) return;
        if (random.below(2) == 0) self.mine->reset(by("chance"));
        if (self.mine != nullptr) self.mine->close(by("a second cause, which does not count"));
        self.mine->send({{nullptr, as_bytes("into the void")}});
        self.mine->resume();
        self.mine->end_sending();
      });
      if (random.below(16) == 0) self.mine->close(by("chance"));
    };
    made.when_received = [&](side& self, bytes_view) {
      if (random.below(50) == 0) self.mine->close(by("chance"));
    };
    made.when_sent = [&](side& self) {
      if (random.below(50) == 0) self.mine->reset(by("chance"));
    };
    made.when_closed = [&](side&) {
      if (++closed == 2 * count) finish();
    };
    return made;
  };
  run([&] {
    const socket_address where =
        listen(any_port(), [&](const socket_address&, const socket_address&) {
          return listener_user::answer{network_.get(), std::make_unique<side_user>(make_side())};
        });
    for (std::size_t i = 0; i < count; ++i) connect(where, make_side());
    // A connection that was reset before it was accepted has one end only.
    after(std::chrono::seconds(2), [&] { finish(); });
  });
  EXPECT_GE(closed, count) << "seed " << seed;
}

TEST_P(NetworkTest, APortInUseIsRefusedWithAddressAndRemedy) {
  side server;
  run([&] {
    const socket_address bound = listen(any_port(), server);
    const auto second = network_->listen(
        bound, std::make_unique<accepting_user>([](const socket_address&, const socket_address&) {
          return listener_user::answer{};
        }));
    EXPECT_EQ(second.code(), error_code::already_exists);
    EXPECT_EQ(second.failure().message,
              fmt::format("cannot listen on {}: Address already in use; find who listens there "
                          "(ss -ltnp), or choose another port",
                          bound.text()));
    finish();
  });
}

TEST_P(NetworkTest, AnAddressThatIsNotOursIsRefused) {
  run([&] {
    const auto made = network_->listen(
        socket_address::parse("192.0.2.1:9092").value(),
        std::make_unique<accepting_user>(
            [](const socket_address&, const socket_address&) { return listener_user::answer{}; }));
    EXPECT_EQ(made.code(), error_code::not_found);
    EXPECT_NE(made.failure().message.find("192.0.2.1:9092"), std::string::npos);
    finish();
  });
}

TEST_P(NetworkTest, AConnectIsRefusedWhereNobodyListens) {
  const temporary_directory directory;
  side none;
  side no_file;
  finish_after(none, no_file);
  socket_address where;
  run([&] {
    const auto made = network_->listen(
        any_port(),
        std::make_unique<accepting_user>(
            [](const socket_address&, const socket_address&) { return listener_user::answer{}; }));
    where = (*made)->address();
    (*made)->close();
    after(milliseconds(10), [&] {
      connect(where, none);
      connect(socket_address::of_path(directory / "nothing"), no_file);
    });
  });
  EXPECT_EQ(none.cause->code, error_code::not_found);
  EXPECT_EQ(none.cause->message,
            fmt::format("cannot connect to {}: Connection refused; nobody listens there: is the "
                        "server running, and is the address right?",
                        where.text()));
  EXPECT_EQ(no_file.cause->code, error_code::not_found);
}

// A full queue of connections that nobody takes: the kernel does not answer the next one.
TEST_P(NetworkTest, AConnectEndsAtItsDeadline) {
  const owned_descriptor silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const socket_address::system_form form = any_port().to_system().value();
  ASSERT_EQ(::bind(silent.number(), form.address(), form.size), 0);
  ASSERT_EQ(::listen(silent.number(), 0), 0);
  const socket_address where = socket_address::local_of(silent.number());
  const socket_address::system_form target = where.to_system().value();
  std::vector<owned_descriptor> filling;
  for (int i = 0; i < 4; ++i) {
    filling.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(filling.back().number(), target.address(), target.size);
  }
  side client;
  client.when_closed = [&](side&) { finish(); };
  const monotonic_time start = clock_.now();
  run([&] { connect(where, client, {}, milliseconds(60)); });
  EXPECT_GE(clock_.now() - start, milliseconds(60));
  EXPECT_EQ(client.cause->code, error_code::timed_out);
  EXPECT_NE(client.cause->message.find(where.text()), std::string::npos);
}

TEST_P(NetworkTest, AConnectionOutlivesTheDeadlineOfItsConnect) {
  side server;
  side client;
  server.when_received = [](side& self, bytes_view bytes) { self.send(to_string(bytes)); };
  client.when_opened = [&](side& self) {
    after(milliseconds(60), [&] { self.send("still here"); });
  };
  client.when_received = [&](side&, bytes_view) { finish(); };
  client.when_closed = [&](side&) { finish(); };
  run([&] { connect(listen(any_port(), server), client, {}, milliseconds(30)); });
  EXPECT_EQ(client.received, "still here");
}

// The same of a Unix socket, to which the system answers that it is full; then a place is free.
TEST_P(NetworkTest, AConnectWaitsForAPlaceInAUnixSocketsQueue) {
  const temporary_directory directory;
  const socket_address where = socket_address::of_path(directory / "socket");
  const socket_address::system_form target = where.to_system().value();
  const owned_descriptor silent(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(silent.number(), target.address(), target.size), 0);
  ASSERT_EQ(::listen(silent.number(), 0), 0);
  const owned_descriptor filling(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(filling.number(), target.address(), target.size), 0);
  side late;
  side client;
  owned_descriptor taken;
  late.when_closed = [&](side&) {
    taken = owned_descriptor(::accept(silent.number(), nullptr, nullptr));
    connect(where, client);
  };
  client.when_opened = [&](side&) { finish(); };
  client.when_closed = [&](side&) { finish(); };
  run([&] {
    connect(where, late, {}, milliseconds(60));
    after(milliseconds(30), [&] { EXPECT_FALSE(late.cause.has_value()); });
  });
  EXPECT_EQ(late.cause->code, error_code::timed_out);
  EXPECT_EQ(client.cause->message, "the test is over");
}

TEST_P(NetworkTest, WhomTheUserRefusesIsClosed) {
  side client;
  client.when_peer_ended = [](side& self) { self.mine->close(by("client")); };
  client.when_closed = [&](side&) { finish(); };
  run([&] {
    connect(listen(any_port(), [](const socket_address&,
                                  const socket_address&) { return listener_user::answer{}; }),
            client);
  });
  EXPECT_TRUE(client.cause.has_value());
  EXPECT_EQ(network_->connection_count(), 0u);
}

TEST_P(NetworkTest, AListenerDealsOutToOtherEngines) {
  auto second = make_engine(GetParam(), clock_, sink_).value();
  socket_network second_network(*second, clock_);
  std::deque<side> servers;
  std::deque<side> clients(8);
  std::size_t over = 0;
  std::thread other([&] { second->run(); });
  const auto other_thread = other.get_id();
  run([&] {
    const socket_address where =
        listen(any_port(), [&](const socket_address&, const socket_address&) {
          const bool is_away = servers.size() % 2 == 1;
          side& server = servers.emplace_back();
          server.when_received = [=](side& self, bytes_view bytes) {
            EXPECT_EQ(std::this_thread::get_id() == other_thread, is_away);
            self.send(to_string(bytes));
          };
          socket_network* home = is_away ? &second_network : network_.get();
          return listener_user::answer{home, std::make_unique<side_user>(server)};
        });
    for (side& client : clients) {
      client.when_opened = [](side& self) { self.send("ping"); };
      client.when_received = [&](side&, bytes_view) {
        if (++over == clients.size()) finish();
      };
      connect(where, client);
    }
  });
  second->post([&] {
    second_network.close_all(by("test"));
    second->stop();
  });
  other.join();
  for (const side& client : clients) EXPECT_EQ(client.received, "ping");
}

TEST_P(NetworkTest, AfterCloseAllWhateverComesIsClosed) {
  side server;
  side client;
  client.when_closed = [&](side&) { engine_->stop(); };
  run([&] {
    const socket_address where = listen(any_port(), server);
    network_->close_all(by("the end"));
    connect(where, client);
    EXPECT_FALSE(client.cause.has_value()) << "inside a call of the user's";
  });
  EXPECT_EQ(client.cause->message, "closed by the end");
}

// No descriptors left: the listener says so, waits, and takes the connection when there are.
TEST_P(NetworkTest, AcceptingGoesOnAfterWantOfDescriptors) {
  if (has_address_sanitizer) {
    GTEST_SKIP() << "the sanitizer of undefined behaviour needs descriptors for its own checks";
  }
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{.rlim_cur = 256, .rlim_max = before.rlim_max};
  std::vector<owned_descriptor> filling;
  const owned_descriptor raw(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  side server;
  server.when_opened = [&](side&) { finish(); };
  std::string failure;
  run([&] {
    auto user = std::make_unique<accepting_user>([&](const socket_address&, const socket_address&) {
      return listener_user::answer{network_.get(), std::make_unique<side_user>(server)};
    });
    user->when_failed = [&](const error& cause) {
      failure = cause.message;
      filling.clear();
    };
    const socket_address::system_form target =
        (*network_->listen(any_port(), std::move(user)))->address().to_system().value();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    for (;;) {
      owned_descriptor one(::dup(raw.number()));
      if (!one.is_open()) break;
      filling.push_back(std::move(one));
    }
    ASSERT_EQ(::connect(raw.number(), target.address(), target.size), 0);
  });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(failure.find("Too many open files; raise the limit"), std::string::npos) << failure;
  EXPECT_TRUE(server.cause.has_value());
}

INSTANTIATE_TEST_SUITE_P(, NetworkTest, every_engine, name_of_engine);

// A kernel without lists of buffers, or that refuses the memory: receives go by poll.
class NetworkWithoutBuffersTest : public NetworkTest {};

TEST_P(NetworkWithoutBuffersTest, Echoes) {
  const auto run_without = [&] {
    std::array<sock_filter, 6> program = {{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_register, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IORING_REGISTER_PBUF_RING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    CHECK(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs", errno);
    CHECK(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "seccomp", errno);
    network_.reset();
    static_cast<void>(engine_.release());  // a ring does not outlive a fork
    engine_ = make_engine(GetParam(), clock_, sink_).value();
    io_uring ring;
    CHECK(io_uring_queue_init(8, &ring, 0) == 0, "a ring");
    CHECK(!receive_buffers::make(ring).ok(), "the filter lets lists of buffers pass");
    io_uring_queue_exit(&ring);
    network_ = std::make_unique<socket_network>(*engine_, clock_);
    echo(any_port(), letters(5 * limits::MiB));
    return HasFailure() ? 1 : 42;
  };
  EXPECT_EQ(in_child(run_without), 42);
}

INSTANTIATE_TEST_SUITE_P(, NetworkWithoutBuffersTest, testing::Values(engine_choice::uring),
                         name_of_engine);

}  // namespace
}  // namespace ringlog::io
