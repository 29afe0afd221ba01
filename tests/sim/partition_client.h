#pragma once

#include <deque>
#include <map>
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

  // From now until attach() a failed answer breaks no promise: the disk fails.
  void excuse_failures() { excused_ = true; }

  // Sends one batch of some `bytes` a record unless five are in flight.
  void send(std::uint64_t bytes);

  void delete_some_records();

  // Drops some records at the end, when nothing is in flight.
  void cut_some_records();

  // What consumers see now has to stay.
  violation observe_high_watermark();

  // Everything that consumers may see can be read, and is what was sent.
  violation check_readable();

  // What an answer broke, if one did.
  const violation& broken_by_answers() const { return violation_; }

  bool is_attached() const { return log_ != nullptr; }
  std::int64_t acknowledged() const { return acknowledged_; }

  struct counts {
    std::uint64_t operations = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t refused_full_disk = 0;
    std::uint64_t refused_full_journal = 0;
    std::uint64_t cuts = 0;
    std::uint64_t log_starts = 0;
    std::uint64_t appended_after_refusal = 0;
  };
  const counts& counted() const { return counts_; }

 private:
  struct sent_batch {
    std::int32_t first_sequence = 0;
    std::vector<std::string> values;
    std::int64_t first_offset = -1;  // where it must be in values_
    bool acknowledged = false;
    std::int64_t end() const { return first_offset + std::ssize(values); }
  };
  using batch_ptr = std::shared_ptr<sent_batch>;

  byte_buffer encode(const sent_batch& batch) const;
  bool is_anything_open() const;
  void put_down(const batch_ptr& batch);
  bool transmit(const batch_ptr& batch, bool expect_duplicate);
  void take_answer(const batch_ptr& batch, bool expect_duplicate,
                   const result<log_port::appended>& answer);
  void acknowledge(const batch_ptr& batch);
  void take_back(const batch_ptr& batch);
  void forget_from(std::int64_t end);
  violation check_recovered();
  void resend();
  std::string broken(std::string_view what) const;

  std::string name_;
  producer_id_t producer_;
  random_source& random_;
  bool ack_at_once_;
  std::unique_ptr<log_port> log_;
  std::vector<std::string> values_;  // by offset, from 0: all that was sent and not lost
  std::map<std::int64_t, std::int32_t> batch_ends_;  // offset behind each: the next sequence
  std::deque<batch_ptr> recent_;                     // the last five
  std::int64_t acknowledged_ = 0;                    // records from the front that must be there
  std::int64_t log_start_ = 0;                       // answered
  std::int64_t log_start_asked_ = 0;
  std::optional<std::int64_t> cut_asked_;  // not answered yet
  std::int32_t next_sequence_ = 0;
  std::uint64_t next_value_ = 0;
  bool excused_ = false;
  bool transmitting_ = false;
  bool refused_ = false;      // the last transmission, for lack of room
  bool was_refused_ = false;  // nothing was appended since
  counts counts_;
  violation violation_;
};

}  // namespace ringlog::sim
