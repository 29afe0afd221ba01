// What a log with many partitions costs: in calls to the file system, which do not depend on the
// machine as times do.

#include "model/batch_builder.h"
#include "node/core.h"
#include "storage/directory_files.h"
#include "storage/fixture.h"

namespace ringlog::node {
namespace {

namespace fs = std::filesystem;

// The real disk. Counts the calls that name a path.
class counting_disk final : public io::file_system {
 public:
  std::map<std::string, std::int64_t> take_calls() { return std::exchange(calls_, {}); }

  result<std::unique_ptr<io::file>> open(const std::string& path, io::open_mode mode) override {
    return count("open").open(path, mode);
  }
  result<std::unique_ptr<io::file>> open_direct(const std::string& path) override {
    return count("open").open_direct(path);
  }
  result<std::unique_ptr<io::volume>> open_volume(const std::string& path) override {
    return count("open volume").open_volume(path);
  }
  result<std::vector<io::directory_entry>> list(const std::string& path) override {
    return count("list").list(path);
  }
  result<std::vector<io::directory_entry>> list_names(const std::string& path) override {
    return count("list names").list_names(path);
  }
  result<bool> exists(const std::string& path) override { return count("exists").exists(path); }
  status make_directories(const std::string& path) override {
    return count("make directories").make_directories(path);
  }
  status rename(const std::string& source, const std::string& target) override {
    return count("rename").rename(source, target);
  }
  status remove(const std::string& path) override { return count("remove").remove(path); }
  status remove_tree(const std::string& path) override {
    return count("remove tree").remove_tree(path);
  }
  status sync_directory(const std::string& path) override {
    return count("sync directory").sync_directory(path);
  }
  result<std::unique_ptr<io::file_lock>> lock(const std::string& path) override {
    return count("lock").lock(path);
  }
  result<space> measure_space(const std::string& path) override {
    return count("measure space").measure_space(path);
  }
  result<identity> identify(const std::string& path) override {
    return count("identify").identify(path);
  }

 private:
  io::file_system& count(const std::string& call) {
    const std::lock_guard lock(mutex_);
    ++calls_[call];
    return below_;
  }

  io::posix_file_system below_;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> calls_;
};

class ScaleTest : public storage::storage_environment, public testing::Test {
 protected:
  ScaleTest() { used_disk_ = &counted_; }
  ~ScaleTest() override {
    engine_->halt();
    core_.reset();
  }

  fs::path log_directory() const { return scratch_.path() / "log"; }
  fs::path journal_directory() const { return scratch_.path() / "journal"; }

  void open() {
    const core_options options{log_directory().string(), journal_directory().string(), {}};
    auto opened = core::open(outside(), options);
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    core_ = std::move(opened).value();
    expect_ok([&](auto done) { core_->start(std::move(done)); });
  }

  void close() {
    expect_ok([&](auto done) { core_->close(std::move(done)); });
    restart();
  }

  void kill() {
    engine_->halt();
    restart();
  }

  void create_topic(std::int32_t partitions) {
    broker::new_topic topic;
    topic.name = "orders";
    topic.partitions = partitions;
    const auto made = storage::await<result<broker::created_topic>>(
        [&](auto done) { core_->broker().create_topic(std::move(topic), false, std::move(done)); });
    ASSERT_TRUE(made.ok()) << made.failure().message;
  }

  void delete_topic() {
    const auto deleted = storage::await<result<uuid>>(
        [&](auto done) { core_->broker().delete_topic("orders", std::move(done)); });
    ASSERT_TRUE(deleted.ok()) << deleted.failure().message;
  }

  // A record for each partition, all under way at once.
  void produce(std::int32_t partitions, const std::string& value) {
    std::vector<std::future<bool>> answers;
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
      model::batch_builder builder;
      builder.append(clock_.wall_ms(), std::nullopt, as_bytes(value));
      broker::produce_request request;
      request.target = {"orders", partition_id_t(partition)};
      request.batches = std::move(builder).finish({});
      const auto answered = std::make_shared<std::promise<bool>>();
      answers.push_back(answered->get_future());
      core_->broker().produce(std::move(request),
                              [answered](const result<broker::produce_answer>& answer) {
                                EXPECT_TRUE(answer.ok()) << answer.failure().message;
                                answered->set_value(answer.ok());
                              });
    }
    for (auto& answer : answers) ASSERT_TRUE(answer.get());
  }

  std::int64_t end_of(std::int32_t partition) {
    broker::list_offset_request request;
    request.source = {"orders", partition_id_t(partition)};
    request.timestamp = broker::latest_timestamp;
    const auto listed = storage::await<result<broker::listed_offset>>(
        [&](auto done) { core_->broker().list_offset(request, std::move(done)); });
    EXPECT_TRUE(listed.ok());
    return listed.ok() ? listed->offset.value() : -1;
  }

  struct counted_calls {
    std::map<std::string, std::int64_t> opening, closing;
  };

  // Of an open and a close with so many partitions that have records.
  counted_calls calls_of(std::int32_t partitions) {
    open();
    create_topic(partitions);
    produce(partitions, "first");
    counted_.take_calls();
    close();
    const auto closing = counted_.take_calls();
    open();
    const auto opening = counted_.take_calls();
    EXPECT_EQ(end_of(partitions - 1), 1);
    close();
    fs::remove_all(log_directory());
    fs::remove_all(journal_directory());
    return {opening, closing};
  }

  counting_disk counted_;
  std::unique_ptr<core> core_;

 private:
  template <typename Start>
  void expect_ok(Start start) {
    const status outcome = storage::await<status>(start);
    ASSERT_TRUE(outcome.ok()) << outcome.failure().message;
  }

  void restart() {
    engine_->halt();
    core_.reset();
    restart_engine();
  }
};

TEST_F(ScaleTest, OpensAndSyncsDoNotGrowWithTheNumberOfPartitions) {
  auto few = calls_of(40);
  auto many = calls_of(160);
  // A journal file that is being made meanwhile costs a call or two, of both.
  constexpr std::int64_t by_chance = 5;
  for (const auto& [call, count] : many.opening) EXPECT_LE(count, few.opening[call] + by_chance);
  EXPECT_FALSE(many.opening.contains("list names")) << "the log directory is not even listed";
  EXPECT_LE(many.closing["sync directory"], few.closing["sync directory"] + by_chance);
  EXPECT_LT(many.closing["sync directory"], 20);
}

TEST_F(ScaleTest, AStrayIsLookedForWhereAnotherProgramHasUsedTheDirectory) {
  open();
  create_topic(3);
  close();
  const fs::path checkpoint = journal_directory() / "checkpoint";
  const fs::path older = scratch_.path() / "checkpoint";
  fs::copy_file(checkpoint, older);
  open();
  produce(3, "first");  // the metadata log goes on
  close();
  fs::create_directories(log_directory() / "stray-0");
  open();
  close();
  EXPECT_TRUE(fs::exists(log_directory() / "stray-0")) << "nobody has looked";
  fs::copy_file(older, checkpoint, fs::copy_options::overwrite_existing);
  open();
  EXPECT_EQ(end_of(0), 1);
  close();
  EXPECT_FALSE(fs::exists(log_directory() / "stray-0")) << "set aside";
}

TEST_F(ScaleTest, PartitionsOfAnEarlierTopicOfThatNameAreSetAside) {
  open();
  create_topic(2);
  produce(2, "first");
  close();
  const std::string partition = (log_directory() / "orders-1").string();
  ASSERT_TRUE(storage::write_partition_metadata(disk_, partition + "/partition.metadata",
                                                uuid::reserved(77))
                  .ok());
  open();
  EXPECT_EQ(end_of(0), 1);
  EXPECT_EQ(end_of(1), 0);
  produce(2, "second");
  EXPECT_EQ(end_of(1), 1);
  close();
  std::size_t strays = 0;
  for (const auto& entry : fs::directory_iterator(log_directory())) {
    strays += entry.path().string().ends_with("-stray") ? 1 : 0;
  }
  EXPECT_EQ(strays, 1u);
}

TEST_F(ScaleTest, EverythingIsThereAfterAKillAndASecondOne) {
  constexpr std::int32_t partitions = 60;
  open();
  create_topic(partitions);
  produce(partitions, "first");
  kill();
  open();
  for (std::int32_t partition = 0; partition < partitions; partition += 2) {
    ASSERT_EQ(end_of(partition), 1);
  }
  produce(partitions / 2, "second");
  kill();
  open();
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    ASSERT_EQ(end_of(partition), partition < partitions / 2 ? 2 : 1);
  }
  close();
  open();
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    ASSERT_EQ(end_of(partition), partition < partitions / 2 ? 2 : 1);
  }
  close();
}

TEST_F(ScaleTest, ADeletedTopicLeavesNoDirectoryBehindAClose) {
  open();
  create_topic(40);
  produce(40, "first");
  close();
  open();
  delete_topic();  // of partitions that were never opened
  close();
  for (const auto& entry : fs::directory_iterator(log_directory())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("orders")) << entry.path();
  }
}

}  // namespace
}  // namespace ringlog::node
