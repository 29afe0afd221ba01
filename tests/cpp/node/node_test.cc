#include "node/node.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <thread>

#include "base/limits.h"
#include "in_child.h"
#include "io/posix_file_system.h"
#include "io/temporary_directory.h"
#include "model/batch_builder.h"
#include "sanitizers.h"

namespace ringlog::node {
namespace {

constexpr milliseconds long_enough{20'000};

// Starts an asynchronous call of the facade and waits for its answer.
template <typename T, typename Start>
result<T> await(Start start) {
  auto answered = std::make_shared<std::promise<result<T>>>();
  auto answer = answered->get_future();
  start(broker::reply<T>([answered](result<T> given) { answered->set_value(std::move(given)); }));
  CHECK(answer.wait_for(long_enough) == std::future_status::ready, "no answer");
  return answer.get();
}

class NodeTest : public testing::Test {
 protected:
  ~NodeTest() override { close_all(long_enough); }

  std::string address() const { return "file:" + (directory_ / "data"); }

  static result<broker::created_topic> create_topic(node& on, std::string name) {
    return await<broker::created_topic>([&](auto done) {
      broker::new_topic topic;
      topic.name = name;
      topic.partitions = 1;
      on.broker().create_topic(std::move(topic), false, std::move(done));
    });
  }

  static result<broker::produce_answer> produce(node& on, const std::string& value) {
    return await<broker::produce_answer>([&](auto done) {
      model::batch_builder batch;
      batch.append(on.time().wall_ms(), std::nullopt, as_bytes(value));
      broker::produce_request request;
      request.target = {"orders", partition_id_t(0)};
      request.batches = std::move(batch).finish({});
      on.broker().produce(std::move(request), std::move(done));
    });
  }

  io::posix_file_system disk_;
  io::temporary_directory directory_;
};

TEST_F(NodeTest, ANewLogServesAndIsThereAfterTheNextOpen) {
  {
    const auto node = open(address()).value();
    EXPECT_EQ(node->address(), address());
    ASSERT_TRUE(create_topic(*node, "orders").ok());
    EXPECT_EQ(produce(*node, "first").value().base_offset, offset_t(0));
  }
  ASSERT_TRUE(close(address(), long_enough).ok());
  EXPECT_TRUE(std::filesystem::exists(directory_ / "data/log/meta.properties"));
  EXPECT_TRUE(std::filesystem::exists(directory_ / "data/log/.kafka_cleanshutdown"));
  const auto node = open(address()).value();
  EXPECT_EQ(produce(*node, "second").value().base_offset, offset_t(1));
}

TEST_F(NodeTest, OneNodeForEveryPathThatLeadsThere) {
  const auto first = open(address()).value();
  std::filesystem::create_directory_symlink(directory_ / "data", directory_ / "link");
  const auto second = open("file:" + (directory_ / "link")).value();
  EXPECT_EQ(first.get(), second.get());
  const auto other = open("file:" + (directory_ / "other")).value();
  EXPECT_NE(first.get(), other.get());
}

TEST_F(NodeTest, ManyThreadsOpenAndCloseOneLog) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        const auto node = open(address());
        ASSERT_TRUE(node.ok()) << node.failure().message;
        // Its clients may find it closed by now; that is an answer, too.
        (void)create_topic(**node, "orders");
        (void)produce(**node, "value");
        if (i > 0) continue;
        const status closed = close(address(), long_enough);
        EXPECT_TRUE(closed.ok()) << closed.failure().message;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(NodeTest, StaysOpenForAWhileAfterItsLastClient) {
  node* first = open(address()).value().get();
  EXPECT_EQ(open(address()).value().get(), first);
  // Closed by the keeper some time later: then another process may have it.
  const auto child_can_open = [&] {
    return in_child([&] { return disk_.lock(directory_ / "data/log/.lock").ok(); });
  };
  EXPECT_EQ(child_can_open(), 0);
  const auto deadline =
      std::chrono::steady_clock::now() + milliseconds(limits::node_linger_ms) + long_enough;
  while (child_can_open() == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_EQ(child_can_open(), 1);
}

TEST_F(NodeTest, ClosedUnderItsClientsItSaysSo) {
  const auto node = open(address()).value();
  ASSERT_TRUE(node->check_usable().ok());
  ASSERT_TRUE(create_topic(*node, "orders").ok());
  ASSERT_TRUE(close(address(), long_enough).ok());
  EXPECT_EQ(node->check_usable().code(), error_code::closed);
  EXPECT_EQ(produce(*node, "late").code(), error_code::closed);
  EXPECT_TRUE(close(address(), long_enough).ok());
  const auto again = open(address()).value();
  EXPECT_NE(again.get(), node.get());
  EXPECT_TRUE(produce(*again, "value").ok());
}

TEST_F(NodeTest, SettingsOfDirectoryAddressAndCallInThisOrder) {
  std::filesystem::create_directories(directory_ / "data");
  ASSERT_TRUE(io::replace_file(disk_, directory_ / "data/server.properties",
                               as_bytes("num.partitions=2\nlog.retention.ms=5\nqueued.max=1\n"))
                  .ok());
  const auto node = open(address() + "?num.partitions=3&log.segment.bytes=2000000",
                         {{"log.segment.bytes", "3000000"}})
                        .value();
  EXPECT_TRUE(open(address(), {{"log.retention.ms", "5"}}).ok());
  EXPECT_TRUE(open(address(), {{"num.partitions", "3"}}).ok());
  EXPECT_TRUE(open(address(), {{"log.segment.bytes", "3000000"}}).ok());
  const auto other = open(address(), {{"num.partitions", "4"}});
  EXPECT_EQ(other.code(), error_code::invalid_config);
  EXPECT_NE(other.failure().message.find("num.partitions=3, not 4"), std::string::npos);
  EXPECT_EQ(open(address(), {{"num.partition", "4"}}).code(), error_code::invalid_config);
  EXPECT_EQ(open("memory:settings", {{"num.partitions", "many"}}).code(),
            error_code::invalid_config);
  EXPECT_EQ(open("memory:settings", {{"num.partitions", "2"}}).ok(), true);  // not half open
}

TEST_F(NodeTest, MemoryLogsAreNamedAndStayUntilClosed) {
  {
    const auto node = open("memory:a").value();
    ASSERT_TRUE(create_topic(*node, "orders").ok());
    ASSERT_TRUE(produce(*node, "value").ok());
  }
  EXPECT_EQ(produce(*open("memory:a").value(), "value").value().base_offset, offset_t(1));
  EXPECT_FALSE(produce(*open("memory:b").value(), "value").ok());
  ASSERT_TRUE(close("memory:a", long_enough).ok());
  EXPECT_FALSE(produce(*open("memory:a").value(), "value").ok());
}

TEST_F(NodeTest, AForkedChildIsToldAndCannotOpenTheParentsLog) {
  if (has_thread_sanitizer) {
    GTEST_SKIP() << "the thread sanitizer ends a forked child that starts threads";
  }
  if (has_address_sanitizer) {
    GTEST_SKIP() << "its child hangs when a thread allocates during the fork";
  }
  auto node = open(address()).value();
  EXPECT_EQ(in_child([&] {
              if (node->check_usable().ok() || node->check_usable().code() != error_code::closed) {
                return 1;
              }
              const auto refused = open(address());
              if (refused.ok()) return 2;
              if (refused.code() != error_code::locked) return 3;
              const std::string parent = std::to_string(::getppid());
              if (refused.failure().message.find(parent) == std::string::npos) return 4;
              node.reset();  // neither hangs nor crashes
              const auto own = open("memory:child");
              if (!own.ok() || !create_topic(**own, "orders").ok()) return 5;
              close_all(long_enough);
              return 0;
            }),
            0);
  EXPECT_TRUE(node->check_usable().ok());
  EXPECT_TRUE(create_topic(*node, "orders").ok());
}

TEST_F(NodeTest, BadDirectoriesAreRefusedAndLeftAlone) {
  std::filesystem::create_directories(directory_ / "foreign");
  ASSERT_TRUE(io::replace_file(disk_, directory_ / "foreign/notes.txt", as_bytes("text")).ok());
  EXPECT_EQ(open("file:" + (directory_ / "foreign")).code(), error_code::foreign_directory);
  EXPECT_FALSE(open("file:" + (directory_ / "foreign/notes.txt")).ok());
  EXPECT_EQ(open("localhost:9092").code(), error_code::invalid_argument);
  // Version 2 of meta.properties is not known yet.
  std::filesystem::create_directories(directory_ / "newer/log");
  ASSERT_TRUE(io::replace_file(disk_, directory_ / "newer/log/meta.properties",
                               as_bytes("version=2\ncluster.id=a\nnode.id=1\n"))
                  .ok());
  const auto newer = open("file:" + (directory_ / "newer"));
  EXPECT_EQ(newer.code(), error_code::unsupported);
  EXPECT_NE(newer.failure().message.find("newer/log/meta.properties"), std::string::npos);
}

TEST_F(NodeTest, AnotherProcessIsNamed) {
  int ready[2];
  int leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  const pid_t child = ::fork();
  char byte = 0;
  if (child == 0) {
    const auto held = open(address());
    byte = held.ok() ? 'y' : 'n';
    const bool told = ::write(ready[1], &byte, 1) == 1 && ::read(leave[0], &byte, 1) == 1;
    ::_exit(told ? 0 : 1);  // without closing: the lock goes with the process
  }
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto refused = open(address());
  EXPECT_EQ(refused.code(), error_code::locked);
  EXPECT_NE(refused.failure().message.find("process " + std::to_string(child)), std::string::npos);
  ASSERT_EQ(::write(leave[1], &byte, 1), 1);
  int outcome = 0;
  ASSERT_EQ(::waitpid(child, &outcome, 0), child);
  EXPECT_EQ(WEXITSTATUS(outcome), 0);
  EXPECT_TRUE(open(address()).ok());
  for (const int end : {ready[0], ready[1], leave[0], leave[1]}) ::close(end);
}

}  // namespace
}  // namespace ringlog::node
