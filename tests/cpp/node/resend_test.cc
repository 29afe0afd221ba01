// An idempotent producer whose process was killed before it saw its answers sends its five batches
// again after the log was reopened: five duplicate answers, no new record (KIP-98).

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <future>

#include "model/batch_builder.h"
#include "node/node.h"

namespace ringlog::node {
namespace {

constexpr int batches_in_flight = 5;
constexpr int records_each = 3;

template <typename T, typename Start>
result<T> wait_for(Start start) {
  auto answered = std::make_shared<std::promise<result<T>>>();
  auto answer = answered->get_future();
  start([answered](result<T> outcome) { answered->set_value(std::move(outcome)); });
  if (answer.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
    return make_error(error_code::timed_out, "no answer");
  }
  return answer.get();
}

// Producers whose last record is older than producer.id.expiration.ms are forgotten.
std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

byte_buffer make_batch(broker::producer_identity from, int number) {
  model::batch_builder builder;
  for (int i = 0; i < records_each; ++i) {
    const std::string value = fmt::format("{} {}", number, i);
    builder.append(now_ms(), std::nullopt, as_bytes(value));
  }
  model::batch_fields fields;
  fields.producer_id = from.id;
  fields.producer_epoch = from.epoch;
  fields.base_sequence = number * records_each;
  return std::move(builder).finish(fields);
}

// Sends all five before it looks at an answer.
std::vector<result<broker::produce_answer>> send_all(broker::broker& to,
                                                     broker::producer_identity from) {
  std::vector<std::future<result<broker::produce_answer>>> waiting;
  for (int number = 0; number < batches_in_flight; ++number) {
    auto answered = std::make_shared<std::promise<result<broker::produce_answer>>>();
    waiting.push_back(answered->get_future());
    broker::produce_request request;
    request.target = {"t", partition_id_t(0)};
    request.batches = make_batch(from, number);
    to.produce(std::move(request), [answered](result<broker::produce_answer> outcome) {
      answered->set_value(std::move(outcome));
    });
  }
  std::vector<result<broker::produce_answer>> answers;
  for (auto& each : waiting) {
    if (each.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      answers.push_back(make_error(error_code::timed_out, "no answer"));
    } else {
      answers.push_back(each.get());
    }
  }
  return answers;
}

// In the child: sends, waits until all is durable, says who it was, dies.
[[noreturn]] void live_and_die(const std::string& address, int say) {
  auto opened = open(address);
  if (!opened.ok()) _exit(1);
  broker::broker& broker = (*opened)->broker();
  const auto topic = wait_for<broker::topic_description>(
      [&](auto reply) { broker.ensure_topic("t", std::move(reply)); });
  const auto identity = wait_for<broker::producer_identity>(
      [&](auto reply) { broker.init_producer_id(std::nullopt, std::nullopt, std::move(reply)); });
  if (!topic.ok() || !identity.ok()) _exit(2);
  for (const auto& answer : send_all(broker, *identity)) {
    if (!answer.ok()) _exit(3);
  }
  if (::write(say, &*identity, sizeof(*identity)) != sizeof(*identity)) _exit(4);
  ::kill(::getpid(), SIGKILL);
  _exit(5);
}

TEST(ResendTest, FiveDuplicatesAfterAKill) {
  const auto directory =
      std::filesystem::temp_directory_path() / fmt::format("ringlog-resend-{}", ::getpid());
  const std::string address = "file:" + directory.string();
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) live_and_die(address, pipe_ends[1]);
  ::close(pipe_ends[1]);
  broker::producer_identity identity;
  const auto said = ::read(pipe_ends[0], &identity, sizeof(identity));
  ::close(pipe_ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(said, static_cast<ssize_t>(sizeof(identity))) << "the child ended with " << status;
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  {
    auto opened = open(address);
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    broker::broker& broker = (*opened)->broker();
    const auto answers = send_all(broker, identity);
    for (int number = 0; number < batches_in_flight; ++number) {
      const auto& answer = answers[static_cast<std::size_t>(number)];
      ASSERT_TRUE(answer.ok()) << answer.failure().message;
      EXPECT_TRUE(answer->duplicate) << "batch " << number << " was appended again";
      EXPECT_EQ(answer->base_offset, offset_t(number * records_each));
    }
    const auto end = wait_for<broker::listed_offset>([&](auto reply) {
      broker.list_offset({{"t", partition_id_t(0)}, broker::latest_timestamp}, std::move(reply));
    });
    ASSERT_TRUE(end.ok());
    EXPECT_EQ(end->offset, offset_t(batches_in_flight * records_each));
  }
  EXPECT_TRUE(close(address, milliseconds(10'000)).ok());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ringlog::node
