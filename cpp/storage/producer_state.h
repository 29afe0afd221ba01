#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/hash_map.h"
#include "base/limits.h"
#include "base/result.h"
#include "model/record_batch.h"
#include "model/types.h"
#include "storage/partition_log.h"

namespace ringlog::storage {

// One of the last batches of an idempotent producer (Kafka: BatchMetadata).
struct producer_batch {
  std::int32_t last_sequence = no_sequence;
  offset_t last_offset{no_offset};
  std::int32_t offset_delta = 0;
  std::int64_t timestamp = no_timestamp;

  offset_t first_offset() const { return last_offset - offset_delta; }
  std::int32_t first_sequence() const {
    return model::increment_sequence(last_sequence, -offset_delta);
  }
  bool operator==(const producer_batch&) const = default;
};

// What the log knows of one producer id (Kafka: ProducerStateEntry). A value.
class producer_entry {
 public:
  explicit producer_entry(producer_id_t id) : producer_id(id) {}

  producer_id_t producer_id;
  producer_epoch_t producer_epoch{no_producer_epoch};
  std::int32_t coordinator_epoch = -1;
  std::int64_t last_timestamp = no_timestamp;
  offset_t transaction_start{no_offset};  // of the open transaction, no_offset without one

  // Forgets the batches of another epoch.
  void change_epoch(producer_epoch_t epoch);
  void add_batch(const producer_batch& batch);

  bool has_batches() const { return count_ != 0; }
  const producer_batch& last_batch() const;
  std::int32_t last_sequence() const;

  std::size_t batch_count() const { return count_; }
  // Remembers the last of these, oldest first, when they end with the last batch known and are
  // more than the known ones.
  void recall(std::span<const producer_batch> batches);

  // The remembered batch with exactly these sequence numbers.
  std::optional<producer_batch> find_batch(std::int32_t first_sequence,
                                           std::int32_t last_sequence) const;

  bool operator==(const producer_entry&) const = default;

 private:
  std::array<producer_batch, limits::producer_batches_remembered> batches_;  // oldest first
  std::uint8_t count_ = 0;
};

struct completed_transaction {
  producer_id_t producer_id;
  offset_t first_offset;
  offset_t last_offset;  // of the marker
  bool aborted = false;
};

// Changes of one append, checked but not yet made: nothing is seen of them until commit().
struct producer_update {
  std::vector<producer_entry> entries;
  std::vector<std::pair<offset_t, producer_id_t>> started;
  std::vector<completed_transaction> completed;
};

// Whose checks apply: batches of other logs and of recovery are believed, they were checked when
// they were first written.
enum class producer_check : std::uint8_t { client, coordinator, none };

// Sequence numbers, epochs and transactions of the producers of one partition (Kafka:
// ProducerStateManager, ProducerAppendInfo). Owned by its log and used under the log's mutex, or by
// the loader alone.
class producer_state {
 public:
  // The first offsets of a batch that was appended before, if it is among the last five.
  std::optional<producer_batch> find_duplicate(const model::batch_header_view& batch) const;

  // Checks the batch, which will stand at `base`, on top of what `update` holds already, and adds
  // it. Failures: out_of_order_sequence, invalid_producer_epoch, invalid_txn_state, corrupt.
  status prepare(producer_update& update, const model::batch_view& batch, offset_t base,
                 producer_check check) const;

  // Makes the changes. Aborted transactions go to `aborted` for the transaction index.
  void commit(producer_update update, std::vector<struct aborted_range>& aborted);

  // The first offset of a transaction that is open, or ended above the high watermark.
  std::optional<offset_t> first_unstable_offset() const;
  void high_watermark_moved(offset_t high_watermark);
  void log_start_moved(offset_t log_start);

  void remove_expired(std::int64_t now_ms, std::int64_t expiration_ms);

  // Takes an entry of a snapshot.
  void load(const producer_entry& entry);

  // Batches that snapshots left out, see producer_entry::recall; of an epoch that is over: nothing.
  bool lacks_batches() const;
  void recall(producer_id_t id, producer_epoch_t epoch, std::span<const producer_batch> batches);

  const hash_map<producer_id_t, producer_entry>& producers() const { return producers_; }
  std::vector<producer_entry> sorted() const;  // by producer id, as snapshots are written
  std::vector<producer_description> describe() const;

 private:
  const producer_entry* find(const producer_update& update, producer_id_t id) const;
  offset_t last_stable_after(const completed_transaction& done) const;

  hash_map<producer_id_t, producer_entry> producers_;
  std::map<offset_t, producer_id_t> ongoing_;  // by first offset
  std::map<offset_t, offset_t> unreplicated_;  // first offset to marker's offset
};

// True when the producer has been idle for so long that its state may go.
bool is_expired(const producer_entry& entry, std::int64_t now_ms, std::int64_t expiration_ms);

}  // namespace ringlog::storage
