#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/types.h"
#include "client/consumer_options.h"
#include "model/record.h"

namespace ringlog::client {

// One assigned partition as its consumer reads it. Written by the consumer's thread; the engine's
// thread reads only the atomics.
struct partition_reading {
  explicit partition_reading(topic_partition of) : source(std::move(of)) {}

  const topic_partition source;

  // Next offset to hand out; no_offset while unknown.
  offset_t position{no_offset};

  // What automatic commits may commit: the position before the call that is under way.
  std::atomic<std::int64_t> processed{no_offset.value()};
  std::atomic<std::int64_t> committed{no_offset.value()};

  std::optional<offset_reset> reset;  // look the position up anew by this rule
  bool paused = false;
  bool handed_out = false;  // since the call under way began
  bool revoked = false;     // left over in buffers or answers of an earlier assignment
  offset_t high_watermark{no_offset};
  monotonic_time not_before;  // after a failure that heals by itself
};

// One batch with its records ready to decode. Shared by the consumer and by the records that were
// decoded from it, whose keys, values and headers point into its bytes.
class fetched_batch {
 public:
  // Checks (when asked) and decompresses; error_code::corrupt names partition and offset.
  static result<std::shared_ptr<fetched_batch>> open(std::shared_ptr<partition_reading> from,
                                                     shared_bytes owner,
                                                     const model::batch_view& batch,
                                                     bool check_crc);

  const std::shared_ptr<partition_reading> partition;
  const model::batch_view batch;
  const leader_epoch_t leader_epoch;
  const timestamp_type timestamps;

  bool next(model::record_view& record) { return records_.next(record); }
  status outcome() const { return records_.outcome(); }

  fetched_batch(std::shared_ptr<partition_reading> from, shared_bytes owner,
                const model::batch_view& whole, byte_buffer decompressed);

 private:
  const shared_bytes owner_;
  const byte_buffer decompressed_;
  model::record_iterator records_;
};

// The batches that fetches brought and the consumer has not handed out yet: splits the bytes into
// batches, leaves out control batches and, for read_committed, those of aborted transactions
// (KIP-98; Kafka: CompletedFetch). The consumer's thread only.
class fetched_batches {
 public:
  explicit fetched_batches(const consumer_options& options) : options_(options) {}

  // Takes the bytes in. Batches that are left out move the position when the ones before them
  // have been read.
  status add(std::shared_ptr<partition_reading> from, broker::fetched_partition fetched);

  bool empty() const { return waiting_.empty(); }

  // True when opening the next batch is work (decompression) rather than a look at its header.
  bool front_is_compressed() const;

  // The next batch with something to read; nullptr when there is none.
  result<std::shared_ptr<fetched_batch>> open_next();

  // Forgets what was fetched of this partition, or of all.
  void drop(const partition_reading& partition);
  void clear() { waiting_.clear(); }
  bool holds(const partition_reading& partition) const;

 private:
  struct waiting_batch {
    std::shared_ptr<partition_reading> from;
    shared_bytes owner;
    std::optional<model::batch_view> batch;  // none: only moves the position
    offset_t next_offset;
  };

  const consumer_options& options_;
  std::deque<waiting_batch> waiting_;
};

}  // namespace ringlog::client
