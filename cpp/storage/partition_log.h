#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"
#include "base/uuid.h"
#include "model/types.h"
#include "storage/log_config.h"
#include "storage/log_offsets.h"

namespace ringlog::storage {

// Who appends (Kafka: AppendOrigin). Only batches of clients are held to topic configs, sequence
// numbers and the absence of control records.
enum class append_origin : std::uint8_t {
  client,       // a producer
  coordinator,  // this node's group, transaction or metadata code
};

struct append_options {
  leader_epoch_t leader_epoch{0};
  append_origin origin = append_origin::client;
  // The batches were encoded in this process by our own builder: checksum and records are not
  // looked at again (headers are).
  bool trusted = false;
};

struct append_info {
  offset_t first_offset{no_offset};
  offset_t last_offset{no_offset};
  std::int64_t log_append_timestamp = no_timestamp;  // set with LogAppendTime
  offset_t log_start_offset{no_offset};
  bool duplicate = false;  // the offsets are those of the first append; nothing was added

  std::uint64_t truncations = 0;  // how often the log had been cut: tells this append from a later
                                  // one at the same offsets

  offset_t end_offset() const { return last_offset + 1; }
};

// Up to where a read sees: consumers to the high watermark or the last stable offset, loaders of
// internal topics and replicas to the end (Kafka: FetchIsolation).
enum class read_bound : std::uint8_t { last_stable, high_watermark, log_end };

constexpr read_bound bound_of(isolation_level isolation) {
  return isolation == isolation_level::read_committed ? read_bound::last_stable
                                                      : read_bound::high_watermark;
}

struct aborted_transaction {
  producer_id_t producer_id;
  offset_t first_offset;
  bool operator==(const aborted_transaction&) const = default;
};

// What a read may look at: files take as long as the disk does.
enum class read_source : std::uint8_t { memory, memory_and_files };

struct log_read {
  std::vector<shared_bytes> batches;  // whole batches, back to back; the first may begin before
                                      // the offset asked for
  std::int64_t bytes = 0;
  offset_t end_offset{no_offset};            // past the last batch: where to read on
  log_offsets offsets;                       // as they were for this read
  std::vector<aborted_transaction> aborted;  // with read_bound::last_stable, by first offset
  bool needs_files = false;                  // with read_source::memory: the rest is of no use
};

struct timestamped_offset {
  offset_t offset{no_offset};
  std::int64_t timestamp = no_timestamp;
  leader_epoch_t leader_epoch{no_leader_epoch};
  bool operator==(const timestamped_offset&) const = default;
};

struct epoch_end {
  leader_epoch_t leader_epoch{no_leader_epoch};
  offset_t end_offset{no_offset};
  bool operator==(const epoch_end&) const = default;
};

// What DescribeProducers tells of one producer.
struct producer_description {
  producer_id_t producer_id{no_producer_id};
  producer_epoch_t producer_epoch{no_producer_epoch};
  std::int32_t last_sequence = no_sequence;
  std::int64_t last_timestamp = no_timestamp;
  std::int32_t coordinator_epoch = -1;
  offset_t current_transaction_start{no_offset};  // -1: none is open
};

// One partition's log (Kafka: UnifiedLog): append, read, look up, cut. Made and owned by its
// log_manager, shared with the broker; usable until the manager closes, after that appends answer
// error_code::closed.
//
// Any thread may call anything. Appends and tail reads do no I/O: a mutex is held for the work in
// memory only. Reads below the tail read files on the caller's thread, outside the mutex. Calls
// with a completion answer on the engine's thread, never inside the call.
//
// appended >= durable >= high watermark: an append is in memory when its call returns, on stable
// storage when when_durable answers, and readable at that same moment.
class partition_log : public std::enable_shared_from_this<partition_log> {
 public:
  struct state;  // storage/log_state.h
  explicit partition_log(std::unique_ptr<state> loaded);
  ~partition_log();
  partition_log(const partition_log&) = delete;
  partition_log& operator=(const partition_log&) = delete;

  const topic_partition& name() const;
  uuid topic_id() const;
  log_config config() const;
  void set_config(const log_config& config);

  // ---- append

  // Checks the batches (sizes, checksum, codec, timestamps, records), recodes them when the topic
  // wants another codec, checks sequences and epochs of their producer, assigns offsets and the
  // leader epoch in place, and keeps the buffer. All or nothing; `batches` is left as it was on
  // failure. A resent batch among its producer's last five answers the first append's offsets.
  //
  // Failures: corrupt, message_too_large, record_list_too_large, unsupported_compression,
  // invalid_timestamp, invalid_record, out_of_order_sequence, duplicate_sequence,
  // invalid_producer_epoch, invalid_txn_state, no_memory (too much waits for the disk),
  // no_space, storage_failed, closed.
  result<append_info> append_as_leader(byte_buffer&& batches, const append_options& options);

  // Appends verbatim: offsets and epochs stand. The first offset is at or past the log's end.
  result<append_info> append_as_follower(byte_buffer&& batches);

  // Answers once the append is durable and readable, or with the reason why it never will be.
  void when_durable(const append_info& appended, callback<void(status)> done);
  // The same for everything below `end`, for those whose log is never cut meanwhile.
  void when_durable(offset_t end, callback<void(status)> done);

  // Called with the new high watermark each time it moves, and with the same one when the last
  // stable offset moves alone; on the engine's thread. One listener; an empty one removes it.
  void set_high_watermark_listener(callback<void(offset_t)> listener);

  // ---- read

  log_offsets offsets() const;

  // Whole batches from the one that holds `from` on, at most bytes_max bytes, but at least one
  // batch when there is one and `min_one_batch`; an empty answer from the bound's offset on.
  // error_code::offset_out_of_range unless log_start <= from <= log_end.
  // From memory alone, `needs_files` is set where that is not enough.
  result<log_read> read(offset_t from, std::int64_t bytes_max, read_bound bound,
                        bool min_one_batch = true,
                        read_source source = read_source::memory_and_files) const;

  // The first record at or after `timestamp` (ListOffsets); nothing when there is none below the
  // bound.
  result<std::optional<timestamped_offset>> offset_for_timestamp(std::int64_t timestamp,
                                                                 read_bound bound) const;

  // The first record that has the largest timestamp (KIP-734); nothing in a log without records.
  result<std::optional<timestamped_offset>> offset_of_max_timestamp() const;

  // ---- leader epochs

  leader_epoch_t latest_leader_epoch() const;  // -1: none yet
  // Epoch of the record at the offset; -1 when unknown.
  leader_epoch_t leader_epoch_at(offset_t offset) const;
  // OffsetForLeaderEpoch: the largest epoch <= the asked one and where it ends; (-1, -1) unknown.
  epoch_end end_offset_for_epoch(leader_epoch_t epoch) const;
  // From the end of the log on, records belong to this epoch. Appends do it by themselves.
  void assign_leader_epoch(leader_epoch_t epoch);

  // ---- producers

  std::vector<producer_description> producers() const;

  // ---- cutting

  // Moves the log start offset up to `before` (no_offset: the high watermark) and answers the new
  // one when that is durable. error_code::offset_out_of_range past the high watermark.
  void delete_records(offset_t before, callback<void(result<offset_t>)> done);

  // Drops everything at and above `end`. Nothing happens when that is at or past the end.
  void truncate_to(offset_t end, callback<void(status)> done);

  // Bytes of all segments, the unwritten tail included.
  std::int64_t size_bytes() const;

  // Success, or why this log takes no appends any more.
  status health() const;

  state& internals() { return *state_; }  // for storage's own flusher, manager and retention

 private:
  std::unique_ptr<state> state_;
};

}  // namespace ringlog::storage
