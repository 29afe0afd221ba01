#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/transport.h"
#include "client/wait.h"
#include "model/record.h"
#include "model/types.h"

namespace ringlog::client {

enum class null_key_partitioning : std::uint8_t {
  random,  // another partition for each record (kafka-python's DefaultPartitioner)
  sticky,  // one partition until its batch closes (KIP-480)
};

// A producer's settings under kafka-python's names and with its 3.x defaults; milliseconds, bytes.
struct producer_options {
  std::string client_id = "ringlog";
  broker::required_acks acks = broker::required_acks::all;
  bool enable_idempotence = true;
  compression_type compression = compression_type::none;
  std::int64_t batch_size = 16'384;
  std::int64_t linger_ms = 0;
  std::int64_t max_block_ms = 60'000;
  std::int64_t max_request_size = 1'048'576;
  std::int64_t delivery_timeout_ms = 120'000;
  std::int64_t request_timeout_ms = 30'000;
  std::int64_t retry_backoff_ms = 100;
  std::int64_t retries = std::numeric_limits<std::int64_t>::max();
  std::int64_t buffer_memory = 32 * 1024 * 1024;
  std::int32_t max_in_flight = 5;
  bool allow_auto_create_topics = true;
  null_key_partitioning null_keys = null_key_partitioning::random;
};

class partition_queue;

// What became of one batch, shared by the futures of all its records. Completed once; any thread
// may ask.
class batch_completion {
 public:
  explicit batch_completion(std::weak_ptr<partition_queue> sender) : sender_(std::move(sender)) {}

  // True once the outcome is there; what follows may then be read without a lock.
  bool done() const { return done_.load(std::memory_order_acquire); }
  const std::optional<error>& failure() const { return failure_; }
  offset_t base_offset() const { return base_offset_; }  // no_offset with acks=0
  std::int64_t log_append_timestamp() const { return log_append_timestamp_; }  // or no_timestamp

  // Runs `call` when the outcome is there, in the order in which calls were registered: inside this
  // call when it is there and all earlier ones were run, else on the thread that completes the
  // batch. Batches of one partition complete in offset order.
  void when_done(callback<void()> call);

  // Sends the batch now and waits for the outcome, good or bad; timed_out at the limit.
  status wait(const wait_limit& limit);

  // By the producer; the first outcome stays.
  void complete(offset_t base_offset, std::int64_t log_append_timestamp);
  void fail(error failure);

 private:
  void finish(std::optional<error> failure, offset_t base_offset, std::int64_t timestamp);

  std::atomic<bool> done_{false};
  std::optional<error> failure_;
  offset_t base_offset_{no_offset};
  std::int64_t log_append_timestamp_ = no_timestamp;
  std::mutex mutex_;  // guards calls_, calling_ and the step to done
  bool calling_ = false;
  std::vector<callback<void()>> calls_;
  const std::weak_ptr<partition_queue> sender_;
};

// One record on its way: which batch, and its place in it.
struct sent_record {
  std::shared_ptr<batch_completion> batch;
  std::int32_t index = 0;  // its offset is the batch's base offset + index
  partition_id_t partition{0};
  std::int64_t timestamp = no_timestamp;
};

struct outgoing_record {
  std::optional<bytes_view> key;
  std::optional<bytes_view> value;
  std::span<const model::record_header_view> headers;
  std::optional<partition_id_t> partition;  // none: by key (murmur2), without key by null_keys
  std::int64_t timestamp = no_timestamp;    // none: now
};

// A topic as a producer knows it: its partitions' open batches. Stays valid as long as its
// producer.
class producer_topic;
class producer_core;

// Kafka's producer over a transport: batches records per partition in the form in which they are
// stored (design: "Life of a produce"), sends batches in order, resends what failed for a while,
// idempotently. Any thread may call. A record that send() took is delivered or its batch fails,
// also when the producer is let go: what is on its way keeps what it needs.
class producer {
 public:
  static std::shared_ptr<producer> make(std::shared_ptr<transport> over, producer_options options);
  ~producer();

  // The topic, made when it is missing and may be. invalid_topic, unknown_topic_or_partition,
  // timed_out after the limit. Quick for one that is known.
  result<producer_topic*> topic(std::string_view name, const wait_limit& limit);

  // Never blocks. no_memory: something has to be waited for (room in buffer_memory, a topic that
  // was made anew), use send(). Other failures: message_too_large (over max_request_size),
  // invalid_argument (no such partition, negative timestamp), unknown_topic_or_partition (the
  // topic was deleted), closed. The bytes were copied when this returns.
  result<sent_record> try_send(producer_topic& to, const outgoing_record& record);

  // As try_send, but waits for what has to be waited for, at the limit with timed_out.
  result<sent_record> send(producer_topic& to, const outgoing_record& record,
                           const wait_limit& limit);

  std::int32_t partition_count(const producer_topic& of) const;

  // Sends everything now and waits until every record taken before has its outcome.
  status flush(const wait_limit& limit);

  // Takes no more records; flushes; what has no outcome at the limit fails with timed_out.
  status close(const wait_limit& limit);

  // For when nobody can wait: takes no more records; what was taken goes on in the background.
  void abandon();

  const producer_options& options() const;
  transport& over();

 private:
  explicit producer(std::shared_ptr<producer_core> core);

  status learn_of(std::string_view name, const wait_limit& limit);

  const std::shared_ptr<producer_core> core_;
};

}  // namespace ringlog::client
