#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/brief_mutex.h"
#include "broker/types.h"
#include "client/producer.h"
#include "model/batch_builder.h"

namespace ringlog::client {

class producer_core;

// One partition's records on their way to the broker: the open batch that records are encoded
// into, and the closed ones, first the oldest, until each has its outcome. Owned by its topic, as
// long as the producer's core lives. Any thread; the mutex is never held over a call of the broker.
//
// A batch closes when it is full, when it lingered long enough, when somebody waits for it, and
// with linger 0 as soon as nothing of the partition is in flight. While the most that may be in
// flight is, a full batch goes on growing up to what the topic takes: batches follow the load. One
// that is to be compressed does not, so that the callers, who fill batches, also compress them.
//
// Batches are sent in order. One that failed for a passing reason is sent again from its kept
// bytes, alone, before later ones go on, so order holds; sequence numbers (KIP-98) let the broker
// tell a resend from a new batch. When they cannot be continued, the partition goes on under a
// fresh producer id (Kafka raises the epoch of the old one, KIP-360).
class partition_queue {
 public:
  partition_queue(producer_core& core, topic_partition target);

  const topic_partition& target() const { return target_; }

  // With appended_and_closed a batch was closed on the way (KIP-480: time for another partition).
  enum class append_outcome : std::uint8_t { appended, appended_and_closed, no_room, closed };

  // `bytes_max` bounds what the record adds to a batch; `batch_bytes_max` is the topic's.
  append_outcome append(const outgoing_record& record, std::int64_t timestamp,
                        std::size_t bytes_max, std::size_t batch_bytes_max, sent_record& sent);

  // Closes the open batch and sends what may be sent.
  void send_now();

  // The youngest batch without an outcome; null when there is none.
  std::shared_ptr<batch_completion> last_unfinished();

  // Fails what has been on its way since before `opened_before`. What is in flight stays there
  // until the broker answers, but its records have their outcome.
  void expire(monotonic_time opened_before, const error& failure);

  // The answer to a request for a producer id.
  void set_identity(const broker::producer_identity& identity);
  void refuse_identity(const error& failure);

  // Also a timer's call: goes on after a pause between tries.
  void pump();

 private:
  enum class phase : std::uint8_t { encoding, queued, in_flight, answered };

  struct batch {
    model::batch_builder builder;  // keeps the bytes, to send them again, until the outcome
    byte_buffer compressed;
    mutable_bytes bytes;  // finished, in one of the two
    std::shared_ptr<batch_completion> completion;
    std::int64_t reserved = 0;
    monotonic_time opened;
    std::int32_t count = 0;
    phase state = phase::encoding;
    broker::producer_identity identity;
    std::int32_t base_sequence = no_sequence;
    bool may_be_there = false;  // an answer was lost: only the same id and sequence are safe
    std::int64_t tries = 0;
    std::optional<error> last_failure;  // of a try that was not the last
    std::optional<error> failure;
    broker::produce_answer answer;

    explicit batch(model::batch_builder with) : builder(std::move(with)) {}
  };
  using batch_pointer = std::shared_ptr<batch>;

  bool reserve(std::int64_t bytes);
  bool open_batch(std::size_t bytes_max);
  std::size_t open_bytes_max(std::size_t batch_bytes_max) const;
  batch_pointer close_batch();
  void encode(const batch_pointer& closed);
  void finish_bytes(batch& closed);
  bool should_close() const;
  batch_pointer next_to_send();
  void take_sequence(batch& next);
  void give_up_identity(const batch& failed);
  broker::produce_request make_request(const batch& next) const;
  void answered(batch_pointer which, result<broker::produce_answer> answer);
  void failed(batch& which, error failure);
  bool may_try_again(batch& which);
  void try_again_later(batch& which);
  void deliver();
  std::shared_ptr<partition_queue> shared_from_core();

  producer_core& core_;
  const topic_partition target_;

  brief_mutex mutex_;  // guards what follows
  batch_pointer open_;
  std::deque<batch_pointer> closed_;
  std::int32_t in_flight_ = 0;
  std::size_t bytes_expected_ = 0;  // of the next batch: as large as the last one
  std::optional<broker::producer_identity> identity_;
  bool identity_asked_ = false;
  bool had_identity_ = false;  // the shared one was given up: ask for another
  std::int32_t next_sequence_ = 0;
  bool recovering_ = false;  // one batch at a time until one got through
  std::optional<monotonic_time> retry_at_;
  bool pumping_ = false;     // some thread is in pump(); it sees every change before it leaves
  bool delivering_ = false;  // the same for deliver()
};

}  // namespace ringlog::client
