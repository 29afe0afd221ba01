#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"
#include "model/types.h"

namespace ringlog::broker {

// A record of an internal topic; no value is a tombstone.
struct coordinator_record {
  byte_buffer key;
  std::optional<byte_buffer> value;
  bool operator==(const coordinator_record&) const = default;
};

// What a replay tells, in the order of the log.
class coordinator_replay {
 public:
  virtual ~coordinator_replay() = default;

  // `producer` is no_producer_id outside transactions.
  virtual void on_record(offset_t offset, producer_id_t producer, bytes_view key,
                         std::optional<bytes_view> value) = 0;
  virtual void on_transaction_end(producer_id_t producer, bool committed) = 0;
};

// One partition of an internal topic as its coordinator sees it (Kafka: CoordinatorLoader and
// PartitionWriter). Any thread; completions run on the engine's thread, never inside the call.
class coordinator_log {
 public:
  virtual ~coordinator_log() = default;

  // Appends the records as one batch, in the order of the calls. Answers the first one's offset
  // once all are durable.
  virtual void append(std::vector<coordinator_record> records,
                      callback<void(result<offset_t>)> done) = 0;

  // Reads everything that is there to `target`, which lives until `done` ran.
  virtual void replay(coordinator_replay& target, callback<void(status)> done) = 0;
};

// Tells `target` the records and transaction markers of whole batches, back to back, from `from`
// on; answers the offset after the last batch.
result<offset_t> replay_batches(bytes_view batches, offset_t from, coordinator_replay& target);

}  // namespace ringlog::broker
