// A disk that takes its time with reads holds up those who wait for them, and nobody else.

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "io/posix_file_system.h"
#include "io/system_clock.h"
#include "io/system_random.h"
#include "io/temporary_directory.h"
#include "io/wrapped_disk.h"
#include "node/core.h"
#include "node/engine_thread.h"
#include "server/server_fixture.h"

namespace ringlog::server {
namespace {

using namespace protocol;

// Reads of the files of partitions named "cold-..." wait while it is shut.
class gated_disk final : public io::wrapped_disk {
 public:
  using wrapped_disk::wrapped_disk;

  void shut() {
    const std::lock_guard lock(mutex_);
    is_shut_ = true;
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    is_shut_ = false;
    changed_.notify_all();
  }
  bool has_waiting(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return waiting_ >= count; });
  }

  result<std::unique_ptr<io::file>> open(const std::string& path, io::open_mode mode) override {
    TRY_ASSIGN(auto opened, wrapped_disk::open(path, mode));
    if (path.find("/cold-") == std::string::npos) return opened;
    return std::unique_ptr<io::file>(new gated_file(*this, std::move(opened)));
  }

 private:
  class gated_file final : public io::wrapped_file {
   public:
    gated_file(gated_disk& disk, std::unique_ptr<io::file> below)
        : wrapped_file(std::move(below)), disk_(disk) {}
    result<std::size_t> read_at(std::uint64_t position, mutable_bytes target) override {
      disk_.pass();
      return wrapped_file::read_at(position, target);
    }

   private:
    gated_disk& disk_;
  };

  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::minutes(2), [&] { return !is_shut_; });
    --waiting_;
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool is_shut_ = false;
  int waiting_ = 0;
};

// An open log on a disk of the test's, closed cleanly when it goes.
class node_on_disk final : public node::node {
 public:
  node_on_disk(io::engine_choice choice, io::file_system& disk, const std::string& directory,
               std::int32_t partitions)
      : engine_(io::make_engine(choice, clock_, sink_).value()),
        core_(ringlog::node::core::open(
                  {disk, *engine_, clock_, random_, sink_},
                  {.log_directory = directory + "/log",
                   .journal_directory = directory + "/journal",
                   .settings = {{"num.partitions", std::to_string(partitions)}}})
                  .value()),
        address_("file:" + directory) {
    thread_.start(*engine_, "engine");
    on_engine([this](auto done) { core_->start(std::move(done)); });
  }
  ~node_on_disk() override {
    on_engine([this](auto done) { core_->close(std::move(done)); });
    thread_.stop();
    engine_->discard();
  }

  broker::broker& broker() override { return core_->broker(); }
  executor& engine() override { return *engine_; }
  const clock& time() const override { return clock_; }
  random_source& random() override { return random_; }
  std::shared_ptr<logger_set> loggers() override { return loggers_; }
  status back_up(const std::string&) override { return make_error(error_code::unsupported, "no"); }
  const std::string& address() const override { return address_; }
  status check_usable() const override { return {}; }

 private:
  template <typename Start>
  void on_engine(Start start) {
    std::promise<status> outcome;
    engine_->post([&] { start([&outcome](status done) { outcome.set_value(std::move(done)); }); });
    const status done = outcome.get_future().get();
    EXPECT_TRUE(done.ok()) << done.failure().message;
  }

  io::system_clock clock_;
  io::system_random random_;
  null_log_sink sink_;
  const std::shared_ptr<logger_set> loggers_ =
      std::make_shared<logger_set>(sink_, log_level::error);
  std::unique_ptr<io::loop> engine_;
  std::unique_ptr<ringlog::node::core> core_;
  ringlog::node::engine_thread thread_;
  const std::string address_;
};

class SlowDiskTest : public server_fixture {
 protected:
  void SetUp() override {
    server_fixture::SetUp();
    if (IsSkipped()) return;
    std::filesystem::create_directory(directory_ / "log");
    options_.network_threads = 1;
  }

  void TearDown() override {
    disk_.open_gate();
    if (serving_ != nullptr) stop();
    server_fixture::TearDown();
  }

  void start() {
    serve(std::make_shared<node_on_disk>(GetParam(), disk_, directory_.path(), partitions));
  }

  void stop() {
    server_fixture::stop();
    serving_.reset();
  }

  static produce_request produce_to(std::string_view topic, std::int32_t partition,
                                    bytes_view batch) {
    produce_request request = produce_request_of(topic, batch);
    request.topic_data[0].partition_data[0].index = partition;
    return request;
  }

  static fetch_request fetch_from(std::string_view topic, std::int32_t partition) {
    fetch_request request = fetch_request_of(topic, 0);
    request.topics[0].partitions[0].partition = partition;
    return request;
  }

  void append(wire_client& client, std::string_view topic, std::int32_t partition) const {
    const byte_buffer batch = batch_of("a value");
    const auto answer =
        client.ask<produce_response>(produce_to(topic, partition, batch), 9).responses.at(0);
    EXPECT_EQ(answer.partition_responses.at(0).error_code, 0);
  }

  // More than there are threads for what may block.
  static constexpr std::int32_t partitions =
      static_cast<std::int32_t>(limits::aside_threads_max) + 2;

  io::posix_file_system below_;
  gated_disk disk_{below_};
  const io::temporary_directory directory_;
};

TEST_P(SlowDiskTest, WhoReadsWhatIsInMemoryWaitsForNoDisk) {
  start();
  {
    auto client = connect();
    for (const std::string_view topic : {"cold", "warm"}) {
      create_topic(topic);
      for (std::int32_t i = 0; i < partitions; ++i) append(client, topic, i);
    }
  }
  stop();
  start();  // with nothing in memory, and no partition open
  disk_.shut();
  std::vector<wire_client> slow;
  for (std::int32_t i = 0; i < partitions; ++i) {
    slow.push_back(connect());
    slow.back().send(wire_client::frame_of(fetch_from("cold", i), 12));
  }
  const byte_buffer batch = batch_of("a value");
  slow.push_back(connect());
  slow.back().send(wire_client::frame_of(produce_to("cold", 0, batch), 9));
  slow.push_back(connect());
  list_offsets_request by_time;
  auto& asked = by_time.topics.emplace_back();
  asked.name = "cold";
  asked.partitions.emplace_back().timestamp = 1;
  slow.back().send(wire_client::frame_of(by_time, 7));
  ASSERT_TRUE(disk_.has_waiting(static_cast<int>(limits::aside_threads_max)));

  auto client = connect();  // with all who wait on one network thread
  EXPECT_EQ(client.ask<api_versions_response>(api_versions_request(), 0).error_code, 0);
  metadata_request all;
  all.topics.reset();
  EXPECT_EQ(client.ask<metadata_response>(all, 12).topics.size(), 2u);

  disk_.open_gate();
  for (std::size_t i = 0; i < slow.size(); ++i) {
    const auto answer = slow[i].receive();
    ASSERT_TRUE(answer.has_value());
    if (i < static_cast<std::size_t>(partitions)) {
      EXPECT_NE(as_text(*answer).find("a value"), std::string_view::npos) << i;
    }
  }
}

TEST_P(SlowDiskTest, AnOpenPartitionIsServedWhileAnotherOneIsRead) {
  start();
  {
    auto client = connect();
    create_topic("cold");
    create_topic("warm");
    append(client, "cold", 0);
  }
  stop();
  start();
  auto client = connect();
  append(client, "warm", 0);  // opens it
  disk_.shut();
  auto slow = connect();
  slow.send(wire_client::frame_of(fetch_from("cold", 0), 12));
  ASSERT_TRUE(disk_.has_waiting(1));
  for (int i = 0; i < 10; ++i) append(client, "warm", 0);
  EXPECT_EQ(client.ask<fetch_response>(fetch_from("warm", 0), 12).error_code, 0);
  disk_.open_gate();
  EXPECT_TRUE(slow.receive().has_value());
}

// Produces of one connection begin in their order, also when the first one's partition must be
// opened.
TEST_P(SlowDiskTest, TheOrderOfProducesHolds) {
  start();
  {
    auto client = connect();
    create_topic("cold");
    append(client, "cold", 0);
  }
  stop();
  start();
  disk_.shut();
  auto client = connect();
  constexpr int count = 20;
  byte_buffer stream;
  std::vector<byte_buffer> batches;
  for (int i = 0; i < count; ++i) {
    batches.push_back(batch_of("a value"));
    ringlog::append(stream, wire_client::frame_of(produce_to("cold", 0, batches.back()), 9, i));
  }
  client.send(stream);
  ASSERT_TRUE(disk_.has_waiting(1));
  disk_.open_gate();
  for (int i = 0; i < count; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(wire_client::id_of(*answer), i);
    const auto appended = wire_client::decode<produce_response>(*answer, 9).responses.at(0);
    EXPECT_EQ(appended.partition_responses.at(0).base_offset, i + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, SlowDiskTest, io::every_engine, io::name_of_engine);

}  // namespace
}  // namespace ringlog::server
