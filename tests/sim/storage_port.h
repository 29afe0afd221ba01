#pragma once

#include <memory>

#include "log_port.h"
#include "storage/partition_log.h"

namespace ringlog::sim {

// A partition as storage has it.
class storage_port final : public log_port {
 public:
  explicit storage_port(std::shared_ptr<storage::partition_log> log) : log_(std::move(log)) {}

  void append(byte_buffer batch, callback<void(result<appended>)> done) override {
    const auto info = log_->append_as_leader(std::move(batch), {});
    if (!info.ok()) return done(info.failure());
    log_->when_durable(*info, [info = *info, done = std::move(done)](status durable) mutable {
      if (!durable.ok()) return done(std::move(durable.failure()));
      done(appended{info.first_offset.value(), info.duplicate});
    });
  }

  void delete_records(std::int64_t before, callback<void(result<std::int64_t>)> done) override {
    log_->delete_records(offset_t(before),
                         [done = std::move(done)](result<offset_t> moved) mutable {
                           if (!moved.ok()) return done(std::move(moved.failure()));
                           done(moved->value());
                         });
  }

  void truncate_to(std::int64_t end, callback<void(status)> done) override {
    log_->truncate_to(offset_t(end), std::move(done));
  }

  result<bounds> ask_bounds() override {
    const storage::log_offsets offsets = log_->offsets();
    return bounds{offsets.log_start.value(), offsets.log_end.value()};
  }

  result<std::int64_t> ask_high_watermark() override {
    return log_->offsets().high_watermark.value();
  }

  result<std::vector<shared_bytes>> read(std::int64_t from, std::int64_t bytes_max) override {
    TRY_ASSIGN(storage::log_read read,
               log_->read(offset_t(from), bytes_max, storage::read_bound::log_end));
    return std::move(read.batches);
  }

 private:
  std::shared_ptr<storage::partition_log> log_;
};

}  // namespace ringlog::sim
