#pragma once

#include <optional>
#include <set>

#include "base/task.h"
#include "broker/group/consumer_member.h"

namespace ringlog::broker {

// What a member's next step towards its target depends on.
struct reconciliation {
  std::int32_t target_epoch = 0;
  partitions_by_topic target;
  std::set<uuid> subscribed;  // the target may be of an earlier subscription
  bool subscription_changed = false;
  std::optional<partitions_by_topic> owned;           // as the member says
  callback<bool(const uuid&, std::int32_t)> is_free;  // nobody has the partition
};

// The member after one step (KIP-848; Kafka: CurrentAssignmentBuilder): first it gives back what
// the target does not have, keeping its epoch; once it owns none of that any more it moves to the
// target's epoch and gets what is free; what others have still to give back, it gets later.
consumer_member reconcile(const consumer_member& now, reconciliation& inputs);

}  // namespace ringlog::broker
