#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/hash_map.h"
#include "broker/partition_table.h"
#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Fetch requests (Kafka: ReplicaManager.fetchMessages and DelayedFetch): answered at once when
// there is enough or something is wrong, else parked until one of their partitions moves, their
// time is over, or they are cancelled. Files are read on the caller's thread where it may block,
// else aside.
class fetch_path : public std::enable_shared_from_this<fetch_path> {
 public:
  using token = std::uint64_t;

  fetch_path(broker_services outside, partition_table& partitions);

  // 0 when it was answered at once.
  token fetch(fetch_request request, reply<fetch_answer> done);

  void cancel(token parked);

  // Answers everything that is parked.
  void close();

 private:
  struct parked_fetch;
  enum class patience { wait, give_up };

  struct reading {
    fetch_answer answer;
    bool is_final = false;     // enough bytes, or a failure
    bool needs_files = false;  // memory alone cannot tell; the answer is of no use
  };
  struct read_rules {
    std::int64_t bytes_max;
    bool min_one_batch;
    isolation_level isolation;
    storage::read_source source;
  };
  reading read(const fetch_request& request, storage::read_source source) const;
  // None where files are needed.
  std::optional<fetched_partition> read_partition(const fetch_partition& asked,
                                                  const read_rules& rules,
                                                  std::int64_t& bytes) const;
  void read_aside(const std::shared_ptr<parked_fetch>& fetch);
  void park(const std::shared_ptr<parked_fetch>& fetch);
  // Answers a parked fetch when there is enough, or anyhow.
  void look_again(const std::shared_ptr<parked_fetch>& fetch, patience left,
                  storage::read_source source = storage::read_source::memory);

  const broker_services outside_;
  partition_table& partitions_;
  std::atomic<token> last_token_ = 0;
  std::mutex mutex_;
  hash_map<token, std::shared_ptr<parked_fetch>> parked_;
};

}  // namespace ringlog::broker
