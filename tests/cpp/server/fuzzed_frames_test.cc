// Frames with anything wrong with them, while a client that does nothing wrong is served: each of
// its requests is answered, its records are what they were, and memory is bounded. RINGLOG_FRAMES
// says how many, under each engine (`./x fuzz frames`: half a million each, with the address
// sanitizer).

#include <malloc.h>

#include <atomic>
#include <thread>

#include "random_seed.h"
#include "server/frame_maker.h"
#include "server/server_fixture.h"

// Sanitizers that have an allocator of their own count its bytes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RINGLOG_COUNTS_ALLOCATIONS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RINGLOG_COUNTS_ALLOCATIONS
#endif
#endif
#ifdef RINGLOG_COUNTS_ALLOCATIONS
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // g++ has no header for it
#endif

namespace ringlog::server {
namespace {

using namespace protocol;

constexpr int frames_by_default = 5'000;
constexpr int frames_between_looks = 2'500;
constexpr int looks_between_reports = 20;

// Of everything, the log too, which lies in memory.
constexpr std::int64_t allocated_bytes_max = 1'000'000'000;
constexpr std::size_t clients = 8;
constexpr std::string_view kept_topic = "kept-by-a-client-that-does-nothing-wrong";

// Of this process.
std::int64_t allocated_bytes() {
#ifdef RINGLOG_COUNTS_ALLOCATIONS
  return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes());
#else
  const struct mallinfo2 heap = ::mallinfo2();
  return static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
#endif
}

int frames_to_send() {
  const char* given = std::getenv("RINGLOG_FRAMES");
  return given != nullptr ? std::atoi(given) : frames_by_default;
}

// A connection that waits for answers a moment only.
class mean_client {
 public:
  static constexpr int answer_wait_ms = 1;

  explicit mean_client(const io::socket_address& where)
      : socket_(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto target = where.to_system();
    CHECK(::connect(socket_.number(), target->address(), target->size) == 0, "connect", errno);
  }

  // In pieces of at most so many bytes; what the server does not take is not sent.
  void send(bytes_view bytes, std::size_t piece_bytes_max) {
    while (!bytes.empty() && is_open_) {
      const bytes_view piece = bytes.first(std::min(bytes.size(), piece_bytes_max));
      const ssize_t size =
          ::send(socket_.number(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      is_open_ = size > 0;
      if (is_open_) bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
  }

  // How many of so many requests are answered now, or made the server close.
  int look_for_answers(int wanted) {
    int found = 0;
    std::array<std::byte, 65536> buffer;
    pollfd ready{socket_.number(), POLLIN, 0};
    while (is_open_ && found<wanted&& ::poll(&ready, 1, answer_wait_ms)> 0) {
      const ssize_t size = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      is_open_ = size > 0;
      if (is_open_) append(received_, bytes_view(buffer).first(static_cast<std::size_t>(size)));
      found += is_open_ ? take_answers() : 1;
    }
    return found;
  }

  bool is_open() const { return is_open_; }

 private:
  int take_answers() {
    int count = 0;
    for (;; ++count) {
      if (received_.size() < 4) return count;
      const auto size = 4 + static_cast<std::size_t>(load_be<std::uint32_t>(received_.data()));
      if (received_.size() < size) return count;
      received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(size));
    }
  }

  io::owned_descriptor socket_;
  byte_buffer received_;
  bool is_open_ = true;
};

class FuzzedFramesTest : public server_fixture {
 protected:
  // Takes away what sound frames made, topics and groups, and looks at what is left.
  void look() {
    auto client = connect();
    metadata_request all;
    all.topics.reset();
    delete_topics_request topics;
    const auto listed = client.ask<metadata_response>(all, 12);
    for (const auto& topic : listed.topics) {
      if (topic.is_internal || topic.name == kept_topic) continue;
      topics.topics.emplace_back().name = *topic.name;
    }
    client.ask<delete_topics_response>(topics, 6);
    delete_groups_request groups;
    const auto there = client.ask<list_groups_response>(list_groups_request(), 4);
    for (const auto& group : there.groups) groups.groups_names.emplace_back(group.group_id);
    client.ask<delete_groups_response>(groups, 2);

    const server& server = serving_->server();
    EXPECT_LE(server.request_bytes(), 64 * limits::MiB + 100 * limits::MiB);
    EXPECT_LE(server.answer_bytes(), limits::fetch_answer_bytes_max);
    EXPECT_LE(allocated_bytes(), allocated_bytes_max);
    const std::int64_t rounds = rounds_served_;
    EXPECT_TRUE(eventually([&] { return rounds_served_ > rounds; }));
  }

  // Sends records to one topic and reads each of them again, until told to stop.
  void be_served() {
    auto client = connect();
    for (std::int64_t offset = 0; !stopping_; ++offset) {
      const std::string value = fmt::format("record {}", offset);
      const byte_buffer batch = batch_of(value);
      const auto sent = client.ask<produce_response>(produce_request_of(kept_topic, batch), 9);
      ASSERT_EQ(sent.responses.at(0).partition_responses.at(0).error_code, 0);
      ASSERT_EQ(sent.responses[0].partition_responses[0].base_offset, offset);
      client.send(wire_client::frame_of(fetch_request_of(kept_topic, offset), 12));
      const auto answer = client.receive();
      ASSERT_TRUE(answer.has_value());
      ASSERT_NE(as_text(*answer).find(value), std::string_view::npos);
      ++rounds_served_;
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> rounds_served_ = 0;
};

TEST_P(FuzzedFramesTest, HarmNobodyElse) {
  start();
  create_topic(kept_topic);
  std::thread served([&] { be_served(); });
  seeded_random random(test_seed());
  frame_maker frames(random);
  std::vector<std::optional<mean_client>> mean(clients);
  int connections = 0;
  int answered = 0;
  int looks = 1;
  for (int dealt_with = 0; dealt_with < frames_to_send();) {
    std::optional<mean_client>& client = mean[random.below(clients)];
    if (!client || !client->is_open() || random.one_in(50)) {
      client.emplace(where());
      ++connections;
    }
    byte_buffer together;
    const int count = random.one_in(4) ? 1 + static_cast<int>(random.below(4)) : 1;
    for (int i = 0; i < count; ++i) append(together, frames.next());
    client->send(together, random.one_in(4) ? 1 + random.below(50) : together.size());
    const int found = client->look_for_answers(count);
    answered += found;
    dealt_with += client->is_open() ? count : std::max(1, found);
    if (found < count && random.one_in(2)) client.reset();  // it would say no more for long
    if (dealt_with < looks * frames_between_looks) continue;
    look();
    if (++looks % looks_between_reports != 0) continue;
    std::printf("%d frames, %d of them answered, %d connections, %lld rounds served, %lld bytes\n",
                dealt_with, answered, connections, static_cast<long long>(rounds_served_.load()),
                static_cast<long long>(allocated_bytes()));
    std::fflush(stdout);
  }
  mean.clear();
  stopping_ = true;
  served.join();
  expect_served();
}

INSTANTIATE_TEST_SUITE_P(Engines, FuzzedFramesTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
