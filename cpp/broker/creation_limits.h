#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"

namespace ringlog::limits {

// Of one request (Kafka: ReplicationControlManager.MAX_PARTITIONS_PER_BATCH), and what it may write
// to the metadata log (QuorumController.MAX_RECORDS_PER_USER_OP).
inline constexpr std::int64_t new_partitions_max = 10'000;
inline constexpr std::int64_t new_topic_records_max = 10'000;

}  // namespace ringlog::limits

namespace ringlog::broker {

// How many partitions and records one request makes in all. A call of the facade is a request of
// its own; a handler whose request makes several calls counts them together.
struct creation_total {
  std::int64_t partitions = 0;
  std::int64_t records = 0;

  // policy_violation in Kafka's words.
  std::optional<error> excess() const {
    if (partitions > limits::new_partitions_max) {
      return error{error_code::policy_violation,
                   "Excessively large number of partitions per request."};
    }
    if (records > limits::new_topic_records_max) {
      return error{error_code::policy_violation,
                   "Unable to perform excessively large batch operation."};
    }
    return std::nullopt;
  }
};

}  // namespace ringlog::broker
