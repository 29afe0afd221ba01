// What the outside world can do to a log: a full disk, a failing one, damaged files, other owners.

#include "storage/faulty_disk.h"
#include "storage/log_fixture.h"

namespace ringlog::storage {
namespace {

class failure_test : public log_test {
 protected:
  failure_test() { used_disk_ = &faults_; }

  std::vector<std::string> fill(int count, int from = 0) {
    std::vector<std::string> values;
    for (int number = from; number < from + count; ++number) {
      const std::string value = "v" + std::to_string(number);
      append({.value = value});
      values.push_back(std::to_string(number) + "=" + value);
    }
    return values;
  }

  void edit(const std::string& name, const std::function<void(std::string&)>& change) {
    std::string bytes;
    {
      std::ifstream file(partition() / name, std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    change(bytes);
    std::ofstream(partition() / name, std::ios::binary | std::ios::trunc) << bytes;
  }

  faulty_disk faults_{disk_};
};

log_config small_segments() {
  log_config config;
  config.segment_bytes = 400;
  config.index_interval_bytes = 100;
  return config;
}

TEST_F(failure_test, AFullDiskUndoesWhatWasNotStoredAndAppendsGoOnLater) {
  log_config config;
  config.segment_bytes = 20'000;  // a reservation covers a segment
  start(config);
  auto all = fill(10);
  const test_batch producer{.value = std::string(15'000, 'p'),
                            .producer_id = producer_id_t(9),
                            .producer_epoch = producer_epoch_t(0),
                            .base_sequence = 0};
  faults_.full = true;
  // The first fits into what is reserved, the others need a segment of their own.
  std::vector<append_info> given;
  for (int number = 0; number < 4; ++number) {
    test_batch next = producer;
    next.base_sequence = number;
    auto info = try_append(next);
    if (!info.ok()) {
      // While the end is cut there is no space; once it is, the batch before this one is missing.
      EXPECT_TRUE(info.code() == error_code::no_space ||
                  info.code() == error_code::out_of_order_sequence)
          << info.failure().message;
      break;
    }
    given.push_back(*info);
  }
  std::size_t stored = 0;
  for (const append_info& info : given) {
    const status durable = wait(info);
    if (durable.ok()) {
      ++stored;
    } else {
      EXPECT_EQ(durable.code(), error_code::no_space) << durable.failure().message;
    }
  }
  EXPECT_LT(stored, given.size());
  EXPECT_EQ(log_->offsets().log_end, offset_t(10 + static_cast<std::int64_t>(stored)));
  EXPECT_TRUE(log_->health().ok());
  faults_.full = false;
  test_batch next = producer;
  next.base_sequence = static_cast<std::int32_t>(stored);
  EXPECT_EQ(append(next).first_offset, offset_t(10 + static_cast<std::int64_t>(stored)))
      << "sequences go on after what was stored";
  const auto kept = content();
  EXPECT_EQ(kept.size(), 10 + stored + 1);
  kill();
  start(config);
  EXPECT_EQ(content(), kept);
  stop();
}

TEST_F(failure_test, AFailedWriteMakesTheDirectoryReadOnlyForGood) {
  start();
  const auto all = fill(5);
  faults_.writes_fail = true;
  const auto info = try_append({.value = "lost"});
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(wait(*info).code(), error_code::storage_failed);
  faults_.writes_fail = false;
  EXPECT_EQ(try_append({}).code(), error_code::storage_failed) << "a retry proves nothing";
  EXPECT_EQ(manager_->health().code(), error_code::storage_failed);
  EXPECT_EQ(content(), all) << "reads go on";
  log_.reset();
  EXPECT_EQ(close(std::move(manager_)).code(), error_code::storage_failed);
  EXPECT_FALSE(fs::exists(directory() + "/.kafka_cleanshutdown"));
  start();
  EXPECT_EQ(content(), all);
  stop();
}

TEST_F(failure_test, ATornTailIsCutAtTheLastWholeBatchWhereverItIsTorn) {
  start();
  const auto all = fill(6);
  stop();
  const std::string name = "00000000000000000000.log";
  std::string whole;
  edit(name, [&](std::string& bytes) { whole = bytes; });
  const std::size_t batch = whole.size() / 6;
  for (std::size_t size = 0; size <= whole.size(); size += 7) {
    fs::remove(directory() + "/.kafka_cleanshutdown");
    edit(name, [&](std::string& bytes) { bytes = whole.substr(0, size); });
    for (const auto& snapshot : files()) {
      if (snapshot.ends_with(".snapshot")) fs::remove(partition() / snapshot);
    }
    start();
    const std::vector<std::string> left(all.begin(),
                                        all.begin() + static_cast<std::ptrdiff_t>(size / batch));
    EXPECT_EQ(content(), left) << size;
    stop();
  }
}

TEST_F(failure_test, GarbageZerosAndFlippedBitsAfterAKill) {
  const std::string name = "00000000000000000000.log";
  const std::vector<std::function<void(std::string&)>> damages{
      [](std::string& bytes) { bytes += std::string(300, '\0'); },
      [](std::string& bytes) { bytes += std::string(100, '\x5a'); },
      [](std::string& bytes) { bytes[bytes.size() - 3] ^= 1; },
      [](std::string& bytes) { bytes[bytes.size() / 2] ^= 0x10; }};
  const std::vector<std::size_t> left{6, 6, 5, 3};
  for (std::size_t number = 0; number < damages.size(); ++number) {
    fs::remove_all(directory());
    start();
    auto all = fill(6);
    kill();
    edit(name, damages[number]);
    start();
    all.resize(left[number]);
    EXPECT_EQ(content(), all) << number;
    const auto more = fill(2, static_cast<int>(left[number]));
    all.insert(all.end(), more.begin(), more.end());
    EXPECT_EQ(content(), all) << number;
    stop();
  }
}

TEST_F(failure_test, MissingAndDamagedIndexesAreBuiltAgain) {
  start(small_segments());
  const auto all = fill(30);
  stop();
  const auto names = files();
  for (const bool clean : {true, false}) {
    for (const std::string& name : names) {
      if (!name.ends_with("index")) continue;
      for (int damage = 0; damage < 3; ++damage) {
        if (!clean) fs::remove(directory() + "/.kafka_cleanshutdown");
        if (damage == 0) fs::remove(partition() / name);
        if (damage == 1) edit(name, [](std::string& bytes) { bytes += "abc"; });
        if (damage == 2) edit(name, [](std::string& bytes) { bytes.assign(bytes.size(), '\xff'); });
        start(small_segments());
        EXPECT_EQ(content(150), all) << name << damage;
        const auto found = log_->offset_for_timestamp(0, read_bound::high_watermark);
        EXPECT_TRUE(found.ok() && (*found)->offset == offset_t(0)) << name << damage;
        stop();
      }
    }
  }
}

TEST_F(failure_test, DamageBelowTheRecoveryPointIsReportedAndTheRestStaysReadable) {
  start(small_segments());
  const auto all = fill(30);
  stop();
  edit("00000000000000000000.log", [](std::string& bytes) {
    bytes[model::batch_layout::magic] = 9;  // of the first batch
  });
  start(small_segments());
  const auto answer = log_->read(offset_t(0), 1000, read_bound::high_watermark);
  EXPECT_EQ(answer.code(), error_code::corrupt);
  EXPECT_NE(answer.failure().message.find("00000000000000000000.log"), std::string::npos);
  EXPECT_TRUE(log_->read(offset_t(20), 1000, read_bound::high_watermark).ok());
  EXPECT_EQ(log_->offsets().log_end, offset_t(30));
  stop();
}

TEST_F(failure_test, LeftOversOfCompactionAndDeletion) {
  start();
  const auto all = fill(6);
  stop();
  fs::remove(directory() + "/.kafka_cleanshutdown");
  const std::string base = (partition() / "00000000000000000000").string();
  fs::copy_file(base + ".log", base + ".log.swap");
  std::ofstream(base + ".log.deleted") << "old";
  std::ofstream((partition() / "00000000000000000006.log.cleaned").string()) << "unfinished";
  EXPECT_EQ(try_open(directory(), true).value()->open_log(orders, id_, {}).code(),
            error_code::unsupported)
      << "reading only, an interrupted swap cannot be finished";
  start();
  EXPECT_EQ(content(), all);
  for (const std::string& name : files()) {
    EXPECT_FALSE(name.ends_with(".deleted") || name.ends_with(".cleaned") ||
                 name.ends_with(".swap"))
        << name;
  }
  stop();
}

TEST_F(failure_test, OneOwnerAndOnlyLogDirectories) {
  start();
  fill(3);
  EXPECT_EQ(try_open(directory()).code(), error_code::locked);
  EXPECT_TRUE(try_open(directory(), true).ok()) << "reading takes no lock";
  stop();
  const std::string foreign = (scratch_.path() / "foreign").string();
  fs::create_directories(foreign);
  std::ofstream(foreign + "/notes.txt") << "mine";
  EXPECT_EQ(try_open(foreign).code(), error_code::foreign_directory);
  EXPECT_TRUE(fs::exists(foreign + "/notes.txt"));
  const std::string newer = (scratch_.path() / "newer").string();
  fs::create_directories(newer);
  std::ofstream(newer + "/meta.properties") << "version=2\nnode.id=1\ncluster.id=x\n";
  EXPECT_EQ(try_open(newer).code(), error_code::unsupported);
  EXPECT_EQ(try_open((scratch_.path() / "none").string(), true).code(), error_code::not_found);
}

TEST_F(failure_test, ReadingOnlyChangesNothing) {
  start();
  const auto all = fill(5);
  kill();
  edit("00000000000000000000.log", [](std::string& bytes) { bytes += "torn"; });
  std::map<std::string, std::uintmax_t> before;
  for (const auto& entry : fs::recursive_directory_iterator(directory())) {
    if (entry.is_regular_file()) before[entry.path().string()] = entry.file_size();
  }
  manager_ = open(directory(), true);
  log_ = *manager_->open_log(orders, id_, {});
  EXPECT_EQ(content(), all);
  EXPECT_EQ(try_append({}).code(), error_code::permission_denied);
  stop();
  std::map<std::string, std::uintmax_t> after;
  for (const auto& entry : fs::recursive_directory_iterator(directory())) {
    if (entry.is_regular_file()) after[entry.path().string()] = entry.file_size();
  }
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace ringlog::storage
