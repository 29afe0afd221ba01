// The log directories of Kafka 4.3.1, read-only and taken over: everything in their expected files.

#include "golden.h"

#include "base/crc32c.h"
#include "codec/codec.h"
#include "model/record.h"
#include "storage/batch_scanner.h"
#include "storage/checkpoint_file.h"
#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/fixture.h"
#include "storage/producer_snapshot.h"
#include "storage/segment_cache.h"

namespace ringlog::storage {
namespace {

using golden::json;

// Shortly after the last write of the killed broker; its producers live 24.8 days.
constexpr std::int64_t golden_now_ms = 1'795'241'900'000;
constexpr std::int64_t golden_expiration_ms = 2'147'483'647;

log_config golden_config() {
  log_config config;
  config.producer_id_expiration_ms = golden_expiration_ms;
  config.retention_ms = -1;
  return config;
}

// A golden directory, unpacked and opened once for all tests that only read it.
class opened_directory : public storage_environment {
 public:
  opened_directory(const std::string& which, bool read_only) : unpacked_(which) {
    clock_.set_wall_ms(golden_now_ms);
    manager_ = open(unpacked_.path().string(), read_only);
    logs_[metadata_partition] = manager_->open_metadata_log(golden_config()).value();
    const std::vector<topic_partition> unopened = manager_->unopened().value();
    for (const topic_partition& found : unopened) {
      const std::optional<uuid> id = manager_->stored_topic_id(found).value();
      if (!id) continue;
      const auto opened = manager_->open_log(found, *id, golden_config());
      EXPECT_TRUE(opened.ok()) << found.to_string() << ": " << opened.failure().message;
      if (opened.ok()) logs_[found] = *opened;
    }
  }

  const std::map<topic_partition, std::shared_ptr<partition_log>>& logs() const { return logs_; }

  static opened_directory& get(const std::string& which, bool read_only) {
    static std::map<std::pair<std::string, bool>, std::unique_ptr<opened_directory>> known;
    auto& found = known[{which, read_only}];
    if (found == nullptr) found = std::make_unique<opened_directory>(which, read_only);
    return *found;
  }

 private:
  golden::directory unpacked_;
  std::unique_ptr<log_manager> manager_;
  std::map<topic_partition, std::shared_ptr<partition_log>> logs_;
};

class golden_storage_test : public ::testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  void SetUp() override {
    GOLDEN_OR_SKIP();
    logs_ = opened_directory::get(which(), std::get<1>(GetParam())).logs();
  }

  std::string which() const { return std::get<0>(GetParam()); }

  std::shared_ptr<partition_log> log_of(const golden::partition_key& key) const {
    const auto found = logs_.find({key.first, partition_id_t(key.second)});
    return found == logs_.end() ? nullptr : found->second;
  }

  std::map<topic_partition, std::shared_ptr<partition_log>> logs_;
};

std::string text_of(const std::optional<bytes_view>& bytes) {
  return bytes ? "=" + std::string(as_text(*bytes)) : "null";
}
std::string text_of(const golden::bytes& bytes) { return bytes ? "=" + *bytes : "null"; }

void expect_same(const golden::record& expected, const model::record_view& record,
                 const model::batch_header_view& batch, const std::string& where) {
  EXPECT_EQ(record.offset.value(), expected.offset) << where;
  EXPECT_EQ(batch.partition_leader_epoch().value(), expected.leader_epoch) << where;
  EXPECT_EQ(record.timestamp, expected.timestamp_ms) << where;
  EXPECT_EQ(batch.timestamps() == timestamp_type::log_append_time, expected.log_append_time);
  EXPECT_EQ(text_of(record.key), text_of(expected.key)) << where;
  if (expected.value_size) {
    ASSERT_TRUE(record.value) << where;
    EXPECT_EQ(static_cast<std::int64_t>(record.value->size()), *expected.value_size) << where;
    EXPECT_EQ(crc32c(*record.value), expected.value_crc32c) << where;
  } else {
    EXPECT_EQ(text_of(record.value), text_of(expected.value)) << where;
  }
  std::size_t number = 0;
  auto headers = record.headers();
  for (model::record_header_view header; headers.next(header); ++number) {
    ASSERT_LT(number, expected.headers.size()) << where;
    EXPECT_EQ(header.key, expected.headers[number].first) << where;
    EXPECT_EQ(text_of(header.value), text_of(expected.headers[number].second)) << where;
  }
  EXPECT_TRUE(headers.outcome().ok()) << where;
  EXPECT_EQ(number, expected.headers.size()) << where;
}

// A consumer: reads from the start, drops control batches and, by the aborted list, what was
// aborted; compares each record.
class record_checker {
 public:
  record_checker(const partition_log& log, read_bound bound,
                 const std::vector<golden::record>& expected)
      : log_(log), bound_(bound), expected_(expected), where_(log.name().to_string()) {}

  void run(std::int64_t bytes_max) {
    offset_t next = log_.offsets().log_start;
    start_ = next;
    while (true) {
      auto answer = log_.read(next, bytes_max, bound_);
      ASSERT_TRUE(answer.ok()) << where_ << ": " << answer.failure().message;
      if (answer->batches.empty()) break;
      aborted_ = answer->aborted;
      for (const shared_bytes& piece : answer->batches) {
        for (bytes_view rest = piece.bytes; !rest.empty();) {
          const auto batch = model::parse_batch(rest);
          ASSERT_TRUE(batch.ok() && *batch) << where_;
          rest = rest.subspan((*batch)->bytes().size());
          ASSERT_TRUE(model::validate(**batch, model::validation_level::checksum).ok());
          check(**batch, next);
        }
      }
      ASSERT_GT(answer->end_offset, next) << where_;
      next = answer->end_offset;
    }
    EXPECT_EQ(seen_, expected_.size()) << where_;
  }

 private:
  bool is_aborted(const model::batch_view& batch) {
    if (bound_ != read_bound::last_stable || !batch.is_transactional()) return false;
    for (const aborted_transaction& transaction : aborted_) {
      if (transaction.producer_id == batch.producer_id() &&
          transaction.first_offset <= batch.base_offset() &&
          !ended_.contains({transaction.producer_id, transaction.first_offset})) {
        return true;
      }
    }
    return false;
  }

  void check(const model::batch_view& batch, offset_t from) {
    if (batch.is_control()) {
      for (const aborted_transaction& transaction : aborted_) {
        if (transaction.producer_id == batch.producer_id() &&
            transaction.first_offset <= batch.base_offset()) {
          ended_.insert({transaction.producer_id, transaction.first_offset});
        }
      }
      return;
    }
    if (is_aborted(batch)) return;
    byte_buffer plain = to_buffer(batch.records());
    if (batch.compression() != compression_type::none) {
      plain = codec::decompress(batch.compression(), batch.records()).value();
    }
    model::record_iterator records(batch, plain);
    for (model::record_view record; records.next(record);) {
      if (record.offset < from || record.offset < start_) continue;
      ASSERT_LT(seen_, expected_.size()) << where_ << " has more, offset " << record.offset.value();
      expect_same(expected_[seen_], record, batch,
                  where_ + " at " + std::to_string(record.offset.value()));
      ++seen_;
    }
    EXPECT_TRUE(records.outcome().ok()) << where_;
  }

  const partition_log& log_;
  read_bound bound_;
  const std::vector<golden::record>& expected_;
  std::string where_;
  offset_t start_{0};
  std::size_t seen_ = 0;
  std::vector<aborted_transaction> aborted_;
  std::set<std::pair<producer_id_t, offset_t>> ended_;
};

TEST_P(golden_storage_test, EveryRecordInBothIsolationLevels) {
  for (const bool committed : {false, true}) {
    if (committed && which() == "torn") continue;  // no such expected file
    for (const auto& [key, expected] : golden::records(which(), committed)) {
      const auto log = log_of(key);
      ASSERT_NE(log, nullptr) << key.first << "-" << key.second;
      const auto bound = committed ? read_bound::last_stable : read_bound::high_watermark;
      record_checker(*log, bound, expected).run(1 << 20);
      record_checker(*log, bound, expected).run(1);
      record_checker(*log, bound, expected).run(3000);
    }
  }
}

TEST_P(golden_storage_test, OffsetsMaxTimestampsAndEpochs) {
  const json topics = golden::document(which(), "topics.json");
  for (const auto& [topic, described] : topics.items()) {
    for (const json& partition : described.at("partitions")) {
      const auto log = log_of({topic, partition.at("partition").get<int>()});
      const std::string where = topic + "-" + partition.at("partition").dump();
      ASSERT_NE(log, nullptr) << where;
      const log_offsets offsets = log->offsets();
      EXPECT_EQ(offsets.log_start.value(), partition.at("start_offset").get<std::int64_t>())
          << where;
      EXPECT_EQ(offsets.log_end.value(), partition.at("end_offset").get<std::int64_t>()) << where;
      EXPECT_EQ(offsets.last_stable.value(), partition.at("last_stable_offset").get<std::int64_t>())
          << where;
      const auto newest = log->offset_of_max_timestamp();
      ASSERT_TRUE(newest.ok()) << where << newest.failure().message;
      const timestamped_offset found = newest->value_or(timestamped_offset());
      EXPECT_EQ(found.timestamp, partition.at("max_timestamp").get<std::int64_t>()) << where;
      EXPECT_EQ(found.offset.value(), partition.at("max_timestamp_offset").get<std::int64_t>())
          << where;
      if (offsets.log_end > offsets.log_start) {
        EXPECT_EQ(log->leader_epoch_at(offsets.log_start).value(),
                  partition.at("earliest_leader_epoch").get<int>())
            << where;
      }
    }
  }
}

TEST_P(golden_storage_test, OffsetsForTimes) {
  if (which() == "torn") GTEST_SKIP() << "as in killed";
  for (const golden::time_answer& expected : golden::offsets_for_times(which())) {
    const auto log = log_of(expected.partition);
    ASSERT_NE(log, nullptr);
    const auto found =
        log->offset_for_timestamp(expected.query_timestamp_ms, read_bound::high_watermark);
    ASSERT_TRUE(found.ok()) << found.failure().message;
    const timestamped_offset answer = found->value_or(timestamped_offset());
    const std::string where =
        log->name().to_string() + " at " + std::to_string(expected.query_timestamp_ms);
    EXPECT_EQ(answer.offset.value(), expected.offset) << where;
    EXPECT_EQ(answer.timestamp, expected.timestamp_ms) << where;
    if (expected.leader_epoch) {
      EXPECT_EQ(answer.leader_epoch.value(), *expected.leader_epoch) << where;
    }
  }
}

TEST_P(golden_storage_test, Producers) {
  const json expected = golden::document(which(), "producers.json").at("active_producers");
  std::size_t partitions = 0;
  for (const auto& [name, log] : logs_) {
    const auto producers = log->producers();
    const bool internal = name.topic.starts_with("__");
    if (internal) continue;
    json described = json::array();
    for (const producer_description& producer : producers) {
      json one;
      one["producer_id"] = producer.producer_id.value();
      one["producer_epoch"] = producer.producer_epoch.value();
      one["last_sequence"] = producer.last_sequence;
      one["last_timestamp"] = producer.last_timestamp;
      one["coordinator_epoch"] =
          producer.coordinator_epoch < 0 ? json() : json(producer.coordinator_epoch);
      one["txn_start_offset"] = producer.current_transaction_start == no_offset
                                    ? json()
                                    : json(producer.current_transaction_start.value());
      described.push_back(one);
    }
    const json wanted = expected.value(name.to_string(), json::array());
    EXPECT_EQ(described, wanted) << name.to_string();
    if (!wanted.empty()) ++partitions;
  }
  EXPECT_EQ(partitions, expected.size());
}

TEST_P(golden_storage_test, LeaderEpochs) {
  if (which() == "torn") GTEST_SKIP() << "no expected file";
  for (const auto& [file, lines] : golden::sections(which(), "checkpoints.txt")) {
    if (!file.ends_with("/leader-epoch-checkpoint")) continue;
    const auto parsed = parse_directory_name(file.substr(0, file.find('/')));
    if (!parsed || parsed->kind != directory_kind::current) continue;
    const auto found = logs_.find(parsed->name);
    ASSERT_NE(found, logs_.end()) << file;
    ASSERT_GE(lines.size(), 2u);
    for (std::size_t line = 2; line < lines.size(); ++line) {
      std::istringstream fields(lines[line]);
      std::int32_t epoch = 0;
      std::int64_t start = 0;
      fields >> epoch >> start;
      // An epoch without records yet is known to the file only after the load cut it off.
      if (offset_t(start) >= found->second->offsets().log_end) continue;
      EXPECT_EQ(found->second->leader_epoch_at(offset_t(start)).value(), epoch) << file;
      const epoch_end end = found->second->end_offset_for_epoch(leader_epoch_t(epoch));
      EXPECT_EQ(end.leader_epoch.value(), epoch) << file;
      std::int64_t expected_end = found->second->offsets().log_end.value();
      if (line + 1 < lines.size()) {
        std::istringstream next(lines[line + 1]);
        std::int32_t next_epoch = 0;
        next >> next_epoch >> expected_end;
      }
      EXPECT_EQ(end.end_offset.value(), expected_end) << file;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Directories, golden_storage_test,
                         ::testing::Combine(::testing::Values("clean", "killed", "torn"),
                                            ::testing::Values(true, false)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) +
                                  (std::get<1>(test.param) ? "ReadOnly" : "TakenOver");
                         });

// ---- single files against the dumps of Kafka's own tool

class golden_files_test : public storage_test, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    GOLDEN_OR_SKIP();
    static std::map<std::string, std::unique_ptr<golden::directory>> unpacked;
    auto& known = unpacked[GetParam()];
    if (known == nullptr) known = std::make_unique<golden::directory>(GetParam());
    directory_ = known->path();
  }
  std::string path(const std::string& file) const { return (directory_ / file).string(); }
  byte_buffer content(const std::string& file) {
    return io::read_file(disk_, path(file), limits::index_file_bytes_max).value();
  }
  static offset_t base_of(const std::string& file) {
    return offset_of_file(std::filesystem::path(file).filename().string()).value();
  }
  std::filesystem::path directory_;
};

TEST_P(golden_files_test, EveryBatch) {
  const auto expected = golden::batches(GetParam());
  std::size_t row = 0;
  while (row < expected.size()) {
    const std::string file = expected[row].file;
    const auto opened = disk_.open(path(file), io::open_mode::read).value();
    batch_scanner scanner(*opened, 0, static_cast<std::int64_t>(opened->size().value()));
    for (; row < expected.size() && expected[row].file == file; ++row) {
      const golden::batch& wanted = expected[row];
      const std::int64_t position = scanner.position();
      const auto batch = scanner.next();
      ASSERT_TRUE(batch.ok() && *batch) << file << " position " << position;
      EXPECT_EQ(position, wanted.number("position")) << file;
      EXPECT_EQ((*batch)->base_offset().value(), wanted.number("baseOffset")) << file;
      EXPECT_EQ((*batch)->last_offset().value(), wanted.number("lastOffset")) << file;
      EXPECT_EQ((*batch)->count(), wanted.number("count")) << file;
      EXPECT_EQ((*batch)->base_sequence(), wanted.number("baseSequence")) << file;
      EXPECT_EQ((*batch)->last_sequence(), wanted.number("lastSequence")) << file;
      EXPECT_EQ((*batch)->producer_id().value(), wanted.number("producerId")) << file;
      EXPECT_EQ((*batch)->producer_epoch().value(), wanted.number("producerEpoch")) << file;
      EXPECT_EQ((*batch)->partition_leader_epoch().value(), wanted.number("partitionLeaderEpoch"));
      EXPECT_EQ((*batch)->is_transactional(), wanted.fields.at("isTransactional") == "true");
      EXPECT_EQ((*batch)->is_control(), wanted.fields.at("isControl") == "true");
      EXPECT_EQ((*batch)->max_timestamp(), wanted.number("max_timestamp")) << file;
      EXPECT_EQ(static_cast<std::int64_t>((*batch)->bytes().size()), wanted.number("size"));
      EXPECT_EQ((*batch)->stored_crc(), wanted.number("crc")) << file;
      EXPECT_EQ(codec::name_of((*batch)->compression()), wanted.fields.at("compresscodec")) << file;
      const auto horizon = (*batch)->delete_horizon_ms();
      EXPECT_EQ(horizon ? std::to_string(*horizon) : "-", wanted.fields.at("deleteHorizonMs"));
      EXPECT_TRUE(model::validate(**batch, model::validation_level::checksum).ok()) << file;
    }
    const auto end = scanner.next();
    EXPECT_TRUE(end.ok() && !*end) << file << " has more batches";
  }
}

TEST_P(golden_files_test, EveryIndex) {
  for (const auto& [file, lines] : golden::sections(GetParam(), "index.txt")) {
    const auto index = offset_index::decode(content(file), base_of(file), INT64_MAX, file);
    ASSERT_TRUE(index.ok()) << index.failure().message;
    ASSERT_EQ(index->size(), lines.size()) << file;
    for (std::size_t at = 0; at < lines.size(); ++at) {
      const offset_position entry = index->at(at);
      EXPECT_EQ(fmt::format("offset: {} position: {}", entry.offset, entry.position), lines[at]);
    }
  }
  for (const auto& [file, lines] : golden::sections(GetParam(), "timeindex.txt")) {
    const auto index = time_index::decode(content(file), base_of(file), file);
    ASSERT_TRUE(index.ok()) << index.failure().message;
    ASSERT_EQ(index->size(), lines.size()) << file;
    for (std::size_t at = 0; at < lines.size(); ++at) {
      const timestamp_offset entry = index->at(at);
      EXPECT_EQ(fmt::format("timestamp: {} offset: {}", entry.timestamp, entry.offset), lines[at]);
    }
  }
  for (const auto& [file, lines] : golden::sections(GetParam(), "txnindex.txt")) {
    const auto index = transaction_index::decode(content(file), file);
    ASSERT_TRUE(index.ok()) << index.failure().message;
    ASSERT_EQ(index->entries().size(), lines.size()) << file;
    for (std::size_t at = 0; at < lines.size(); ++at) {
      const aborted_range& entry = index->entries()[at];
      EXPECT_EQ(fmt::format("version: 0 producerId: {} firstOffset: {} lastOffset: {} "
                            "lastStableOffset: {}",
                            entry.producer_id, entry.first_offset, entry.last_offset,
                            entry.last_stable_offset),
                lines[at]);
    }
    EXPECT_EQ(index->encode(), content(file)) << file;
  }
}

TEST_P(golden_files_test, EveryProducerSnapshot) {
  for (const auto& [file, lines] : golden::sections(GetParam(), "producer_snapshots.txt")) {
    const byte_buffer bytes = content(file);
    const auto entries = decode_producer_snapshot(bytes, file);
    ASSERT_TRUE(entries.ok()) << entries.failure().message;
    ASSERT_EQ(entries->size(), lines.size()) << file;
    for (std::size_t at = 0; at < lines.size(); ++at) {
      const producer_entry& entry = (*entries)[at];
      const std::string start = entry.transaction_start == no_offset
                                    ? "OptionalLong.empty"
                                    : fmt::format("OptionalLong[{}]", entry.transaction_start);
      EXPECT_EQ(lines[at].find(fmt::format("producerId: {} producerEpoch: {} coordinatorEpoch: {} "
                                           "currentTxnFirstOffset: {} lastTimestamp: {}",
                                           entry.producer_id, entry.producer_epoch,
                                           entry.coordinator_epoch, start, entry.last_timestamp)),
                0u)
          << lines[at];
    }
    EXPECT_EQ(encode_producer_snapshot(*entries), bytes) << file;
  }
}

TEST_P(golden_files_test, Checkpoints) {
  for (const auto& [file, lines] : golden::sections(GetParam(), "checkpoints.txt")) {
    if (file.ends_with("offset-checkpoint")) {
      const auto entries = read_offset_checkpoint(disk_, path(file));
      ASSERT_TRUE(entries.ok()) << entries.failure().message;
      ASSERT_EQ(entries->size() + 2, lines.size());
      for (std::size_t at = 2; at < lines.size(); ++at) {
        std::istringstream fields(lines[at]);
        std::string topic;
        int partition = 0;
        std::int64_t offset = 0;
        fields >> topic >> partition >> offset;
        EXPECT_EQ(entries->at({topic, partition_id_t(partition)}).value(), offset) << lines[at];
      }
    } else if (file.ends_with("partition.metadata")) {
      const auto id = read_partition_metadata(disk_, path(file));
      ASSERT_TRUE(id.ok() && *id) << file;
      EXPECT_EQ("topic_id: " + (*id)->to_string(), lines.at(1));
      const std::string copy = (scratch_.path() / "partition.metadata").string();
      ASSERT_TRUE(write_partition_metadata(disk_, copy, **id).ok());
      EXPECT_EQ(io::read_file(disk_, copy, 1000).value(), content(file));
    } else if (file.ends_with("leader-epoch-checkpoint")) {
      const auto entries = read_epoch_checkpoint(disk_, path(file));
      ASSERT_TRUE(entries.ok()) << entries.failure().message;
      const std::string copy = (scratch_.path() / "epochs").string();
      ASSERT_TRUE(io::write_file(disk_, copy, as_bytes(epoch_checkpoint_text(*entries))).ok());
      EXPECT_EQ(io::read_file(disk_, copy, 1000).value(), content(file)) << file;
    }
  }
  const auto identity = read_meta_properties(disk_, path("meta.properties"));
  ASSERT_TRUE(identity.ok() && *identity);
  EXPECT_EQ((*identity)->cluster_id,
            golden::document(GetParam(), "cluster.json").at("cluster_id").get<std::string>());
  EXPECT_EQ((*identity)->node_id, node_id_t(1));
}

INSTANTIATE_TEST_SUITE_P(Directories, golden_files_test, ::testing::Values("clean", "killed"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace ringlog::storage
