#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "client/transport.h"
#include "client/wait.h"

namespace ringlog::bench {

inline constexpr const char* topic_name = "bench";

// Longer than anything in a benchmark takes on a slow disk: what does not end by then has failed.
inline constexpr milliseconds patience_max{300'000};
client::wait_limit patience();

// A log that is open in this process, in FOLDER/data, with the defaults of the library.
class log {
 public:
  explicit log(const std::string& folder);
  ~log();
  log(const log&) = delete;
  log& operator=(const log&) = delete;

  const std::shared_ptr<client::transport>& transport() const { return over_; }
  client::service& broker() { return over_->broker(); }
  void create_topic(std::int32_t partitions);

  // The clean close: everything in place, the directory is Kafka's. Also the destructor's work.
  void close();

 private:
  const std::string address_;
  std::shared_ptr<client::transport> over_;
};

// Random values of one size, all different, handed out round and round.
class values {
 public:
  explicit values(std::int64_t size);

  bytes_view next();
  std::vector<bytes_view> next(std::size_t count);

 private:
  std::vector<byte_buffer> values_;
  std::size_t next_ = 0;
};

// A batch of `count` records, or of as many as fit into `bytes`, without producer id.
byte_buffer make_batch(values& from, std::int64_t count);
byte_buffer make_batch_of_bytes(values& from, std::int64_t bytes, std::int64_t& count);

// Produces batches by the broker's facade, with acks=all, and keeps at most so many unanswered.
// Used by one thread; ends the process when a batch fails.
class produce_window {
 public:
  produce_window(client::service& to, std::int64_t batches_max)
      : to_(to), batches_max_(batches_max) {}

  // Waits for room first.
  void produce(std::int32_t partition, byte_buffer batch);

  // Waits until everything is answered.
  void drain();

 private:
  void wait_until(std::int64_t in_flight);
  void answered(std::optional<error> failure);

  client::service& to_;
  const std::int64_t batches_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t in_flight_ = 0;
  std::int64_t wanted_ = -1;  // wakes the producing thread when so few are in flight
  std::optional<error> failure_;
};

}  // namespace ringlog::bench
