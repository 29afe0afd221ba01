#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "log_port.h"
#include "model/types.h"
#include "run.h"

namespace ringlog::sim {

// An idempotent producer and a reader of one partition, which remember what the log owes them.
// One thread. Lives over crashes: attach() gives it the log of the next boot.
class partition_client {
 public:
  // With `ack_at_once`, the planted bug, it takes sending for an acknowledgement.
  partition_client(std::string name, producer_id_t producer, random_source& random,
                   bool ack_at_once)
      : name_(std::move(name)), producer_(producer), random_(random), ack_at_once_(ack_at_once) {}

  // Compares the recovered log with what was promised, then sends anew, as a client does that got
  // no answer, the last five batches.
  violation attach(std::unique_ptr<log_port> log);

  // The process died: answers will not come.
  void detach() { log_.reset(); }

  // Sends one batch unless five are in flight.
  void send();

  void delete_some_records();

  // What an answer broke, if one did.
  const violation& broken_by_answers() const { return violation_; }

  std::int64_t acknowledged() const { return acknowledged_; }
  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct sent_batch {
    std::int32_t first_sequence = 0;
    std::vector<std::string> values;
    std::int64_t first_offset = -1;  // where it must be in values_
    bool acknowledged = false;
  };
  using batch_ptr = std::shared_ptr<sent_batch>;

  byte_buffer encode(const sent_batch& batch) const;
  void transmit(const batch_ptr& batch, bool expect_duplicate);
  void take_answer(const batch_ptr& batch, bool expect_duplicate,
                   const result<log_port::appended>& answer);
  void acknowledge(const batch_ptr& batch);
  violation check_recovered();
  status read_all(const log_port::bounds& bounds, std::vector<std::string>& values);
  void resend();
  std::string broken(std::string_view what) const;

  std::string name_;
  producer_id_t producer_;
  random_source& random_;
  bool ack_at_once_;
  std::unique_ptr<log_port> log_;
  std::vector<std::string> values_;  // by offset, from 0: all that was sent and not lost
  std::deque<batch_ptr> recent_;     // the last five
  std::int64_t acknowledged_ = 0;    // records from the front that must be there
  std::int64_t log_start_ = 0;       // answered
  std::int64_t log_start_asked_ = 0;
  std::int32_t next_sequence_ = 0;
  std::uint64_t next_value_ = 0;
  std::uint64_t duplicates_ = 0;
  violation violation_;
};

}  // namespace ringlog::sim
