#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <span>
#include <thread>

#include "base/random.h"
#include "in_child.h"
#include "io/aligned_buffer.h"
#include "io/engine_fixture.h"
#include "io/posix_file_system.h"
#include "io/temporary_directory.h"

namespace ringlog::io {
namespace {

class EngineTest : public engine_fixture {
 protected:
  // Runs `first` on the engine, until it or one of its completions calls stop().
  void run(task first) {
    engine_->post(std::move(first));
    engine_->run();
  }

  std::unique_ptr<file> make_file(const std::string& name) {
    auto opened = disk_.open(directory_ / name, open_mode::create);
    CHECK(opened.ok(), "open", opened.failure().message);
    return std::move(opened).value();
  }

  std::string content(file& source) {
    byte_buffer bytes(source.size().value());
    EXPECT_EQ(source.read_at(0, bytes).value(), bytes.size());
    return to_string(bytes);
  }

  posix_file_system disk_;
  temporary_directory directory_;
};

TEST_P(EngineTest, WritesAllPartsSyncsAndReadsBack) {
  const auto target = make_file("data");
  std::string seen(11, '-');
  run([&] {
    engine_->write(*target, 2, {as_bytes("hello"), {}, as_bytes(" wor"), as_bytes("ld")}, true,
                   [&](status written) {
                     ASSERT_TRUE(written.ok()) << written.failure().message;
                     engine_->sync(*target, [&](status synced) {
                       ASSERT_TRUE(synced.ok()) << synced.failure().message;
                       engine_->read(*target, 2,
                                     {reinterpret_cast<std::byte*>(seen.data()), seen.size()},
                                     [&](result<std::size_t> read) {
                                       EXPECT_EQ(read.value(), 11u);
                                       engine_->stop();
                                     });
                     });
                   });
  });
  EXPECT_EQ(seen, "hello world");
  EXPECT_EQ(content(*target), std::string(2, '\0') + "hello world");
}

TEST_P(EngineTest, AReadEndsWhereTheFileEnds) {
  const auto source = make_file("data");
  ASSERT_TRUE(source->write_at(0, as_bytes("abc")).ok());
  byte_buffer target(10);
  std::vector<std::size_t> sizes;
  const auto note = [&](result<std::size_t> read) { sizes.push_back(read.value()); };
  run([&] {
    engine_->read(*source, 1, target, note);
    engine_->read(*source, 3, target, note);
    engine_->read(*source, 100, target, note);
    engine_->stop();
  });
  std::ranges::sort(sizes);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 0, 2}));
}

// More parts than one system call takes (IOV_MAX is 1024), more operations than the ring holds.
TEST_P(EngineTest, ManyPartsAndManyOperations) {
  const auto target = make_file("data");
  constexpr std::size_t parts = 3000;
  constexpr std::size_t operations = 2000;
  std::string letters;
  for (std::size_t i = 0; i < parts; ++i) letters.push_back(static_cast<char>('a' + i % 26));
  std::size_t done = 0;
  run([&] {
    std::vector<bytes_view> views;
    for (const char& letter : letters) views.push_back(as_bytes({&letter, 1}));
    for (std::size_t i = 0; i < operations; ++i) {
      const bool whole = i == 0;
      engine_->write(*target, whole ? 0 : parts + i,
                     whole ? views : std::vector<bytes_view>{as_bytes("x")}, false,
                     [&](status written) {
                       EXPECT_TRUE(written.ok());
                       ++done;
                     });
    }
    engine_->stop();
  });
  EXPECT_EQ(done, operations);
  EXPECT_EQ(content(*target), letters + std::string(1, '\0') + std::string(operations - 1, 'x'));
}

TEST_P(EngineTest, FailuresNameFileAndRemedy) {
  const auto data = make_file("data");
  ASSERT_TRUE(data->write_at(0, as_bytes("abc")).ok());
  const auto read_only = disk_.open(directory_ / "data", open_mode::read).value();
  auto full = disk_.open("/dev/full", open_mode::read_write).value();
  std::vector<error> failures;
  const auto note = [&](status written) { failures.push_back(written.failure()); };
  run([&] {
    engine_->write(*full, 0, {as_bytes("abc")}, false, [&](status written) {
      note(std::move(written));
      engine_->write(*read_only, 0, {as_bytes("abc")}, true, [&](status refused) {
        note(std::move(refused));
        engine_->stop();
      });
    });
  });
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].code, error_code::no_space);
  EXPECT_EQ(failures[0].message,
            "cannot write /dev/full: No space left on device; free space on this disk, or shorten "
            "the retention of topics");
  EXPECT_EQ(failures[1].code, error_code::io_error);  // EBADF
  EXPECT_NE(failures[1].message.find(read_only->path()), std::string::npos);
}

TEST_P(EngineTest, TasksRunInTheOrderPostedAndNeverInsidePost) {
  std::vector<int> order;
  run([&] {
    engine_->post([&] { order.push_back(2); });
    engine_->post([&] {
      order.push_back(3);
      engine_->stop();
    });
    order.push_back(1);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_P(EngineTest, TimersRunInOrderOfTimeAndNotBefore) {
  constexpr int count = 500;
  seeded_random random(7);
  std::vector<monotonic_time> ran;
  const monotonic_time start = clock_.now();
  run([&] {
    for (int i = 0; i < count; ++i) {
      const monotonic_time due = start + milliseconds(random.below(50));
      engine_->schedule_at(due, [&, due] {
        EXPECT_GE(clock_.now(), due);
        ran.push_back(due);
        if (ran.size() == count) engine_->stop();
      });
    }
  });
  EXPECT_EQ(ran.size(), static_cast<std::size_t>(count));
  EXPECT_TRUE(std::ranges::is_sorted(ran));
}

TEST_P(EngineTest, WhatIsDiscardedMayHoldTheEngine) {
  std::shared_ptr<loop> engine = std::move(engine_);
  const std::weak_ptr<loop> watched = engine;
  const monotonic_time later = clock_.now() + std::chrono::hours(1);
  engine->schedule_at(later, [engine] { FAIL(); });
  engine->post([engine] { engine->stop(); });
  engine->run();
  engine->discard();
  engine->post([engine] { FAIL(); });
  engine->schedule_at(later, [engine] { FAIL(); });
  engine.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_P(EngineTest, ACancelledTimerNeverRuns) {
  bool cancelled_ran = false;
  executor::timer_id second = 0;
  run([&] {
    const monotonic_time now = clock_.now();
    const auto first = engine_->schedule_at(now + milliseconds(5), [&] { cancelled_ran = true; });
    EXPECT_TRUE(engine_->cancel(first));
    EXPECT_FALSE(engine_->cancel(first));
    EXPECT_FALSE(engine_->cancel(executor::timer_id{12345}));
    // Both are due at once; the earlier one still stops the later one.
    engine_->schedule_at(now, [&] { EXPECT_TRUE(engine_->cancel(second)); });
    second = engine_->schedule_at(now, [&] { cancelled_ran = true; });
    engine_->schedule_at(now + milliseconds(20), [&] { engine_->stop(); });
  });
  EXPECT_FALSE(cancelled_ran);
}

TEST_P(EngineTest, ATimerThatSetsItselfAnewDoesNotStarveTasks) {
  bool posted_ran = false;
  callback<void()> again;
  run([&] {
    again = [&] {
      if (!posted_ran) engine_->schedule_at(clock_.now(), [&] { again(); });
    };
    again();
    engine_->post([&] {
      engine_->post([&] {
        posted_ran = true;
        engine_->stop();
      });
    });
  });
  EXPECT_TRUE(posted_ran);
}

TEST_P(EngineTest, OtherThreadsPostScheduleAndCancelWhileItSleeps) {
  constexpr int threads = 4;
  constexpr int rounds = 500;
  int ran = 0;  // the engine's thread only
  std::thread runner([&] { engine_->run(); });
  std::vector<std::thread> posters;
  for (int i = 0; i < threads; ++i) {
    posters.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        engine_->post([&] { ++ran; });
        const auto timer = engine_->schedule_at(clock_.now() + std::chrono::hours(1), [] {});
        engine_->schedule_at(clock_.now(), [&] { ++ran; });
        EXPECT_TRUE(engine_->cancel(timer));
        if (round % 50 == 0) std::this_thread::sleep_for(milliseconds(1));
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  engine_->schedule_at(clock_.now() + milliseconds(1), [&] { engine_->stop(); });
  runner.join();
  EXPECT_EQ(ran, threads * rounds * 2);
}

TEST_P(EngineTest, StopFinishesWhatIsUnderWay) {
  const auto target = make_file("data");
  const std::string block(64 * 1024, 'b');
  int done = 0;
  run([&] {
    for (std::uint64_t i = 0; i < 32; ++i) {
      engine_->write(*target, i * block.size(), {as_bytes(block)}, true, [&](status written) {
        EXPECT_TRUE(written.ok());
        ++done;
      });
    }
    engine_->schedule_at(clock_.now() + std::chrono::hours(1), [] { FAIL(); });
    engine_->stop();
  });
  EXPECT_EQ(done, 32);
  EXPECT_EQ(target->size().value(), 32 * block.size());
}

TEST_P(EngineTest, BlockingWorkRunsAsideAndInOrder) {
  std::vector<std::string> seen;
  std::atomic<bool> may_end = false;
  const auto own_thread = std::this_thread::get_id();
  run([&] {
    engine_->run_blocking(
        [&]() -> status {
          EXPECT_NE(std::this_thread::get_id(), own_thread);
          while (!may_end) std::this_thread::sleep_for(milliseconds(1));
          return make_error(error_code::io_error, "as it should");
        },
        [&](const status& outcome) {
          EXPECT_EQ(std::this_thread::get_id(), own_thread);
          EXPECT_EQ(outcome.code(), error_code::io_error);
          seen.push_back("first");
        });
    engine_->run_blocking([]() -> status { return {}; },
                          [&](const status& outcome) {
                            EXPECT_TRUE(outcome.ok());
                            seen.push_back("second");
                          });
    engine_->stop();  // does not drop what is under way
    engine_->post([&] {
      seen.push_back("meanwhile");
      may_end = true;
    });
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"meanwhile", "first", "second"}));
  run([&] {  // and again, after the loop has ended once
    engine_->run_blocking([]() -> status { return {}; }, [&](const status&) { engine_->stop(); });
  });
}

TEST_P(EngineTest, AnEngineThatNeverRanDropsItsTasks) {
  const auto held = std::make_shared<int>(1);
  engine_->post([held] {});
  engine_->schedule_at(clock_.now(), [held] {});
  EXPECT_EQ(held.use_count(), 3);
  engine_.reset();
  EXPECT_EQ(held.use_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(, EngineTest, every_engine, name_of_engine);

// Both engines over O_DIRECT, from and into aligned memory, several writes under way.
TEST_P(EngineTest, WritesAndReadsPastThePageCache) {
  constexpr std::uint64_t blocks = 8;
  ASSERT_TRUE(make_file("data")->resize(blocks * direct_alignment).ok());
  const auto target = disk_.open_direct(directory_ / "data").value();
  const auto source = aligned_buffer::make(blocks * direct_alignment).value();
  for (std::size_t i = 0; i < source.size(); ++i) {
    source.data()[i] = static_cast<std::byte>('a' + i / direct_alignment);
  }
  const auto seen = aligned_buffer::make(source.size()).value();
  std::uint64_t written = 0;
  run([&] {
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::uint64_t position = i * direct_alignment;
      engine_->write(*target, position, {source.bytes().subspan(position, direct_alignment)}, true,
                     [&](status done) {
                       ASSERT_TRUE(done.ok()) << done.failure().message;
                       if (++written < blocks) return;
                       engine_->read(*target, 0, seen.bytes(), [&](result<std::size_t> read) {
                         EXPECT_EQ(read.value(), seen.size());
                         engine_->stop();
                       });
                     });
    }
  });
  EXPECT_TRUE(equal(seen.bytes(), source.bytes()));
  EXPECT_EQ(target->size().value(), source.size());
}

// For the rest of this process a program of the kernel's packet filter judges each system call.
void filter_system_calls(std::span<sock_filter> program) {
  const sock_fprog filter{.len = static_cast<std::uint16_t>(program.size()),
                          .filter = program.data()};
  CHECK(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs", errno);
  CHECK(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "seccomp", errno);
}

// Makes io_uring_setup fail with `errno_value`, as Docker's default profile and hardened systems
// do.
void forbid_io_uring(std::uint32_t errno_value) {
  std::array<sock_filter, 4> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errno_value),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  filter_system_calls(program);
}

// Makes pwritev2 with RWF_DSYNC fail with EOPNOTSUPP, as old FUSE does, and fdatasync with EIO when
// told so.
void forbid_durable_writes(bool sync_fails) {
  const std::uint32_t sync_outcome = sync_fails ? SECCOMP_RET_ERRNO | EIO : SECCOMP_RET_ALLOW;
  std::array<sock_filter, 8> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, sync_outcome),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_pwritev2, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[5])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, RWF_DSYNC, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  filter_system_calls(program);
}

// io_uring's writes are no system calls; tests/compat/test_forgetful_fs.py does this to both.
TEST(RefusedDurableWriteTest, BecomesAWriteAndASync) {
  const temporary_directory directory;
  const auto write_durable = [&](bool sync_fails) {
    forbid_durable_writes(sync_fails);
    const system_clock time;
    null_log_sink sink;
    const auto engine = make_engine(engine_choice::epoll, time, sink).value();
    const auto target = posix_file_system().open(directory / "data", open_mode::create).value();
    int succeeded = 0;
    engine->post([&] {
      for (std::uint64_t i = 0; i < 10; ++i) {
        engine->write(*target, i * 3, {as_bytes("ab"), as_bytes("c")}, true,
                      [&](status done) { succeeded += done.ok() ? 1 : 0; });
      }
      engine->stop();
    });
    engine->run();
    return target->takes_durable_writes() ? 100 : succeeded;
  };
  EXPECT_EQ(in_child([&] { return write_durable(false); }), 10);
  posix_file_system disk;
  const auto content = read_file(disk, directory / "data", 100);
  EXPECT_EQ(to_string(content.value()), "abcabcabcabcabcabcabcabcabcabc");
  EXPECT_EQ(in_child([&] { return write_durable(true); }), 0);
}

class remembering_sink final : public log_sink {
 public:
  void write(log_level, std::string_view message) override { lines.emplace_back(message); }
  std::vector<std::string> lines;
};

class RefusedUringTest : public testing::TestWithParam<std::pair<int, std::string>> {};

TEST_P(RefusedUringTest, FallsBackSayingWhyOrFailsWhenAskedForByName) {
  const auto& [errno_value, remedy] = GetParam();
  const auto outcome = [&] {
    forbid_io_uring(static_cast<std::uint32_t>(errno_value));
    const system_clock time;
    remembering_sink sink;
    auto engine = make_engine(engine_choice::automatic, time, sink);
    if (!engine.ok() || (*engine)->name() != "epoll") return 1;
    if (sink.lines.size() != 1) return 2;
    if (sink.lines[0].find(remedy) == std::string::npos) return 3;
    const auto forced = make_engine(engine_choice::uring, time, sink);
    if (forced.ok() || forced.code() != error_code::unsupported) return 4;
    return sink.lines.size() == 1 ? 0 : 5;
  };
  EXPECT_EQ(in_child(outcome), 0);
}

INSTANTIATE_TEST_SUITE_P(, RefusedUringTest,
                         testing::Values(std::pair(EPERM, "seccomp"), std::pair(ENOSYS, "kernel"),
                                         std::pair(ENOMEM, "ulimit -l")),
                         [](const auto& refusal) {
                           return std::string(::strerrorname_np(refusal.param.first));
                         });

TEST(MakeEngineTest, EnvironmentForcesOneAndRefusesNonsense) {
  ::setenv("RINGLOG_IO", "epoll", 1);
  EXPECT_EQ(engine_choice_from_environment().value(), engine_choice::epoll);
  ::setenv("RINGLOG_IO", "uring", 1);
  EXPECT_EQ(engine_choice_from_environment().value(), engine_choice::uring);
  ::setenv("RINGLOG_IO", "threads", 1);
  EXPECT_EQ(engine_choice_from_environment().code(), error_code::invalid_config);
  ::unsetenv("RINGLOG_IO");
  EXPECT_EQ(engine_choice_from_environment().value(), engine_choice::automatic);
}

}  // namespace
}  // namespace ringlog::io
