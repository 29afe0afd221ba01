#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "broker/types.h"
#include "model/types.h"

namespace ringlog::broker {

// A committed position as its record in __consumer_offsets has it.
struct stored_offset {
  committed_offset position;
  std::int64_t commit_timestamp = no_timestamp;
  std::int64_t expire_timestamp = no_timestamp;  // only from clients before Kafka 2.1
  uuid topic_id;                                 // zero: not known
  offset_t record_offset{no_offset};             // where the record stands
};

// The committed offsets of one group, and those that transactions have written but not ended yet
// (KIP-447; Kafka: OffsetMetadataManager). Owned by its group and guarded with it; changed only by
// replaying durable records, in their order.
class group_offsets {
 public:
  using offset_map = std::map<topic_partition, stored_offset>;

  const offset_map& committed() const { return committed_; }
  const stored_offset* find(const topic_partition& tp) const;
  bool has_pending(const topic_partition& tp) const;
  bool has_pending() const { return !pending_.empty(); }  // a transaction has not ended

  void put(const topic_partition& tp, stored_offset offset);
  void put_pending(producer_id_t producer, const topic_partition& tp, stored_offset offset);

  // A tombstone takes pending ones, too.
  void remove(const topic_partition& tp);

  // The producer's transaction has ended: its offsets count if it was committed and no later
  // record has overtaken them.
  void end_transaction(producer_id_t producer, bool committed);

  // Every partition of which anything is known.
  std::vector<topic_partition> partitions() const;

 private:
  offset_map committed_;
  std::map<producer_id_t, offset_map> pending_;
};

}  // namespace ringlog::broker
