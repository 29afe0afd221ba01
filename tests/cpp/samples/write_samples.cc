// write_samples DIR: makes a log directory with partitions of many shapes, closed cleanly, for
// real Kafka's DumpLogSegments to look at (tests/compat/test_storage_files.py). Prints one line per
// partition: its name and the number of records that a reader of everything sees.

#include <cstdio>

#include "codec/codec.h"
#include "storage/batches.h"
#include "storage/fixture.h"

namespace ringlog::storage {
namespace {

class sample_writer : public storage_environment {
 public:
  explicit sample_writer(std::string directory) : directory_(std::move(directory)) {}

  void write_all() {
    manager_ = open(directory_);
    plain();
    codecs();
    rolled();
    transactions();
    producers();
    replicated();
    cut();
    retained();
    killed();
    for (const auto& log : manager_->open_logs()) {
      std::printf("%s %lld\n", log->name().to_string().c_str(), records_of(*log));
    }
    const status closed = close(std::move(manager_));
    CHECK(closed.ok(), "close failed:", closed.failure().message);
  }

 private:
  void use(const std::string& topic, const log_config& config = {}) {
    auto& id = ids_[topic];
    if (id.is_zero()) id = uuid::make_random(random_);
    log_ = manager_->open_log({topic, partition_id_t(0)}, id, config).value();
  }

  append_info put(byte_buffer bytes, append_options options = {}) {
    const append_info info = log_->append_as_leader(std::move(bytes), options).value();
    last_ = info;
    return info;
  }

  void wait() {
    const status durable = await<status>(
        [&](callback<void(status)> done) { log_->when_durable(last_, std::move(done)); });
    CHECK(durable.ok(), "append failed:", durable.failure().message);
  }

  static long long records_of(const partition_log& log) {
    long long count = 0;
    for (offset_t next = log.offsets().log_start;;) {
      const auto answer = log.read(next, 1 << 20, read_bound::log_end).value();
      if (answer.batches.empty()) return count;
      for (const model::batch_view& batch : batches_of(answer)) count += batch.count();
      next = answer.end_offset;
    }
  }

  static log_config small_segments() {
    log_config config;
    config.segment_bytes = 1500;
    config.index_interval_bytes = 150;
    config.retention_ms = -1;
    config.file_delete_delay_ms = 0;
    return config;
  }

  void plain() {
    use("plain");
    for (int number = 0; number < 200; ++number) {
      put(make_batch({.count = number % 5 + 1, .timestamp = base_ms_ + number % 17}));
      if (number % 10 == 0) wait();
    }
    wait();
  }

  void codecs() {
    for (const char* name : {"gzip", "snappy", "lz4", "zstd"}) {
      log_config config;
      config.compression = codec::parse_compression_type(name).value();
      if (std::string_view(name) == "gzip") {
        config.message_timestamp_type = timestamp_type::log_append_time;
      }
      use(std::string("codec.") + name, config);
      for (int number = 0; number < 20; ++number) {
        put(make_batch({.count = 10, .value = std::string(200, 'a')}));
      }
      wait();
    }
  }

  void rolled() {
    use("rolled.by-size", small_segments());
    for (int number = 0; number < 100; ++number) {
      put(make_batch({.count = 2, .timestamp = base_ms_ + (number * 7919) % 1000}));
      if (number % 3 == 0) wait();
    }
    wait();
    log_config config = small_segments();
    config.segment_bytes = 1 << 20;
    config.segment_ms = 1000;
    use("rolled.by-time", config);
    for (int number = 0; number < 50; ++number) {
      put(make_batch({.timestamp = base_ms_ + number * 130}));
    }
    wait();
    config.segment_ms = 1'000'000'000;
    config.segment_index_bytes = 100;
    use("rolled.by-index", config);
    for (int number = 0; number < 100; ++number) put(make_batch({.timestamp = base_ms_ + number}));
    wait();
  }

  void transactions() {
    use("transactions", small_segments());
    for (std::int64_t number = 0; number < 60; ++number) {
      const std::int64_t id = number % 3;
      put(make_batch({.value = "t" + std::to_string(number),
                      .producer_id = producer_id_t(100 + id),
                      .producer_epoch = producer_epoch_t(0),
                      .base_sequence = static_cast<std::int32_t>(number / 3),
                      .transactional = true}));
      if (number % 7 != 6) continue;
      const auto type = number % 2 == 0 ? model::control_type::abort : model::control_type::commit;
      put(model::make_transaction_marker_batch({type, 1}, producer_id_t(100 + id),
                                               producer_epoch_t(0), clock_.wall_ms()),
          {.origin = append_origin::coordinator});
    }
    wait();
  }

  void producers() {
    use("producers", small_segments());
    for (std::int32_t number = 0; number < 40; ++number) {
      put(make_batch({.producer_id = producer_id_t(200 + number % 4),
                      .producer_epoch = producer_epoch_t(2),
                      .base_sequence = number / 4}),
          {.leader_epoch = leader_epoch_t(number / 10)});
    }
    wait();
  }

  void replicated() {
    use("replicated", small_segments());
    for (std::int64_t number = 0; number < 30; ++number) {
      byte_buffer bytes = make_batch({.count = 3});
      model::stamp_position(bytes, offset_t(number * 10 + 5),
                            leader_epoch_t(static_cast<std::int32_t>(number / 8)));
      last_ = log_->append_as_follower(std::move(bytes)).value();
    }
    wait();
  }

  void cut() {
    use("cut", small_segments());
    for (int number = 0; number < 60; ++number) put(make_batch({.count = 2}));
    wait();
    const status cut = await<status>(
        [&](callback<void(status)> done) { log_->truncate_to(offset_t(41), std::move(done)); });
    CHECK(cut.ok(), "cut failed:", cut.failure().message);
    for (int number = 0; number < 5; ++number) put(make_batch({.value = "after"}));
    wait();
  }

  void retained() {
    use("retained", small_segments());
    for (int number = 0; number < 60; ++number) put(make_batch({.count = 2}));
    wait();
    const auto moved = await<result<offset_t>>([&](callback<void(result<offset_t>)> done) {
      log_->delete_records(offset_t(50), std::move(done));
    });
    CHECK(moved.ok(), "delete_records failed:", moved.failure().message);
    const auto gone = await<result<std::int64_t>>([&](callback<void(result<std::int64_t>)> done) {
      manager_->apply_retention(std::move(done));
    });
    CHECK(gone.ok() && *gone > 0, "nothing was deleted");
  }

  // Recovery: the last batches are torn off after a kill, all other partitions are recovered whole.
  void killed() {
    use("killed", small_segments());
    for (int number = 0; number < 40; ++number) {
      put(make_batch({.count = 2, .timestamp = base_ms_ + number}));
    }
    wait();
    std::vector<std::pair<topic_partition, uuid>> known;
    for (const auto& log : manager_->open_logs()) known.emplace_back(log->name(), log->topic_id());
    engine_->halt();
    log_.reset();
    manager_.reset();
    restart_engine();
    std::filesystem::path newest;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/killed-0")) {
      if (entry.path().extension() == ".log") newest = std::max(newest, entry.path());
    }
    std::filesystem::resize_file(newest, std::filesystem::file_size(newest) - 10);
    manager_ = open(directory_);
    for (const auto& [name, id] : known)
      (void)manager_->open_log(name, id, small_segments()).value();
  }

  static constexpr std::int64_t base_ms_ = 1'795'241'800'000;

  std::string directory_;
  std::unique_ptr<log_manager> manager_;
  std::shared_ptr<partition_log> log_;
  append_info last_;
  std::map<std::string, uuid> ids_;
};

}  // namespace
}  // namespace ringlog::storage

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: write_samples DIR\n");
    return 2;
  }
  ringlog::storage::sample_writer(arguments[1]).write_all();
  return 0;
}
