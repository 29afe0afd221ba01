#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/random.h"
#include "broker/coordinator_log.h"

namespace ringlog::broker {

// A partition of an internal topic as a vector. Appends become durable a random time later, in
// order.
class memory_coordinator_log final : public coordinator_log {
 public:
  struct entry {
    coordinator_record record;
    producer_id_t producer = no_producer_id;
    std::optional<bool> transaction_end =
        std::nullopt;  // committed or not; the record is then unused
  };

  memory_coordinator_log(executor& engine, const clock& time, random_source& random)
      : engine_(engine), time_(time), random_(random) {}

  void append(std::vector<coordinator_record> records,
              callback<void(result<offset_t>)> done) override {
    const offset_t first(static_cast<std::int64_t>(entries.size()));
    if (failure) {
      engine_.post([done = std::move(done), why = *failure]() mutable { done(why); });
      return;
    }
    for (coordinator_record& record : records) entries.push_back({std::move(record)});
    const auto delay = milliseconds(static_cast<std::int64_t>(random_.below(latency_ms_max + 1)));
    durable_at_ = std::max(durable_at_, time_.now() + delay);
    engine_.schedule_at(durable_at_, [done = std::move(done), first]() mutable { done(first); });
  }

  void replay(coordinator_replay& target, callback<void(status)> done) override {
    engine_.post([this, &target, done = std::move(done)]() mutable {
      ++replays;
      for (std::size_t i = 0; i < entries.size(); ++i) {
        const entry& source = entries[i];
        if (source.transaction_end) {
          target.on_transaction_end(source.producer, *source.transaction_end);
          continue;
        }
        std::optional<bytes_view> value;
        if (source.record.value) value = *source.record.value;
        target.on_record(offset_t(static_cast<std::int64_t>(i)), source.producer, source.record.key,
                         value);
      }
      done(failure ? status{*failure} : status{});
    });
  }

  std::vector<entry> entries;
  std::optional<error> failure;  // when set, nothing works
  std::uint64_t latency_ms_max = 3;
  int replays = 0;

 private:
  executor& engine_;
  const clock& time_;
  random_source& random_;
  monotonic_time durable_at_;
};

}  // namespace ringlog::broker
