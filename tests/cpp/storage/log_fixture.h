#pragma once

// One partition, "orders-0", in a log directory of its own, and ways to use it.

#include <algorithm>

#include "storage/batches.h"
#include "storage/file_names.h"
#include "storage/fixture.h"

namespace ringlog::storage {

namespace fs = std::filesystem;

inline const topic_partition orders{"orders", partition_id_t(0)};

class log_test : public storage_test {
 protected:
  log_test() { id_ = uuid::make_random(random_); }

  std::string directory() const { return (scratch_.path() / "log").string(); }
  fs::path partition() const { return scratch_.path() / "log" / "orders-0"; }

  void start(const log_config& config = {}) {
    manager_ = open(directory());
    auto opened = manager_->open_log(orders, id_, config);
    ASSERT_TRUE(opened.ok()) << opened.failure().message;
    log_ = *opened;
  }

  void stop() {
    log_.reset();
    const status closed = close(std::move(manager_));
    ASSERT_TRUE(closed.ok()) << closed.failure().message;
  }

  // As a SIGKILL would: nothing is finished.
  void kill() {
    engine_->halt();
    log_.reset();
    manager_.reset();
    restart_engine();
  }

  result<append_info> try_append(const test_batch& batch, append_options options = {}) {
    return log_->append_as_leader(make_batch(batch), options);
  }

  append_info append(const test_batch& batch = {}, append_options options = {}) {
    const auto info = try_append(batch, options);
    EXPECT_TRUE(info.ok()) << info.failure().message;
    const status durable = wait(*info);
    EXPECT_TRUE(durable.ok()) << durable.failure().message;
    return *info;
  }

  status wait(const append_info& info) {
    return await<status>(
        [&](callback<void(status)> done) { log_->when_durable(info, std::move(done)); });
  }

  // Base offsets and values of everything up to the high watermark.
  std::vector<std::string> content(std::int64_t bytes_max = 1 << 20) {
    std::vector<std::string> values;
    offset_t next = log_->offsets().log_start;
    while (true) {
      const auto answer = log_->read(next, bytes_max, read_bound::high_watermark);
      EXPECT_TRUE(answer.ok()) << answer.failure().message;
      if (!answer.ok() || answer->batches.empty()) return values;
      for (const model::batch_view& batch : batches_of(*answer)) {
        EXPECT_TRUE(model::validate(batch, model::validation_level::checksum).ok());
        model::record_iterator records(batch, batch.records());
        for (model::record_view record; records.next(record);) {
          if (record.offset < next) continue;
          values.push_back(std::to_string(record.offset.value()) + "=" + to_string(*record.value));
        }
      }
      next = answer->end_offset;
    }
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(partition())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  uuid id_;
  std::unique_ptr<log_manager> manager_;
  std::shared_ptr<partition_log> log_;
};

}  // namespace ringlog::storage
