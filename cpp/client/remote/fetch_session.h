#pragma once

#include <map>
#include <vector>

#include "broker/types.h"
#include "protocol/wire/log/fetch.h"

namespace ringlog::client::remote {

// One client's incremental fetch session with one broker (KIP-227; Kafka: FetchSessionHandler): the
// broker remembers what is fetched, so that a request says only what is new, changed or dropped. A
// value of the network's thread.
class fetch_session {
 public:
  explicit fetch_session(bool is_incremental) : is_incremental_(is_incremental) {}

  // What the next request says of the session.
  struct step {
    std::int32_t id = 0;
    std::int32_t epoch = -1;
    std::vector<broker::fetch_partition> added;  // or changed
    std::vector<topic_partition> forgotten;
  };
  step next(const std::vector<broker::fetch_partition>& wanted);

  // The broker took the request; with an id it keeps a session.
  void answered(std::int32_t id);

  // The next request begins anew: the answer was lost, or the broker knows no such session.
  void reset();

 private:
  struct asked {
    offset_t offset;
    std::int64_t bytes_max;
    leader_epoch_t epoch;
    bool operator==(const asked&) const = default;
  };

  const bool is_incremental_;
  std::int32_t id_ = 0;
  std::int32_t epoch_ = 0;  // 0: the first request of a session
  std::map<topic_partition, asked> known_;
};

}  // namespace ringlog::client::remote
