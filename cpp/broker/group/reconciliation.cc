#include "broker/group/reconciliation.h"

namespace ringlog::broker {

namespace {

// A member that does not say what it owns may own all of it.
bool owns_any(const std::optional<partitions_by_topic>& owned, const held_partitions& held) {
  if (!owned) return true;
  for (const auto& [topic, partitions] : *owned) {
    for (const std::int32_t partition : partitions) {
      if (contains(held, topic, partition)) return true;
    }
  }
  return false;
}

// At its target's epoch the member gives back only what it is no longer subscribed to.
consumer_member drop_unsubscribed(const consumer_member& now, const reconciliation& inputs) {
  consumer_member next = now;
  std::erase_if(next.assigned, [&](const auto& entry) {
    if (inputs.subscribed.contains(entry.first)) return false;
    next.to_revoke[entry.first].insert(entry.second.begin(), entry.second.end());
    return true;
  });
  if (next.assigned == now.assigned) return now;
  if (owns_any(inputs.owned, next.to_revoke)) {
    next.state = consumer_member_state::unrevoked;
  } else {
    next.to_revoke.clear();
  }
  next.move_to_epoch(now.epoch);
  return next;
}

struct difference {
  held_partitions kept;
  held_partitions to_revoke;
  held_partitions added;
  bool waits = false;  // for partitions that others have
};

difference compare(const consumer_member& now, reconciliation& inputs) {
  difference found;
  const auto is_wanted = [&](const uuid& topic, std::int32_t partition) {
    return inputs.subscribed.contains(topic) && contains(inputs.target, topic, partition);
  };
  for (const auto& [topic, partitions] : now.assigned) {
    for (const auto& [partition, epoch] : partitions) {
      (is_wanted(topic, partition) ? found.kept : found.to_revoke)[topic][partition] = epoch;
    }
  }
  for (const auto& [topic, partitions] : inputs.target) {
    for (const std::int32_t partition : partitions) {
      if (!is_wanted(topic, partition) || contains(now.assigned, topic, partition)) continue;
      if (inputs.is_free(topic, partition)) {
        found.added[topic][partition] = inputs.target_epoch;
      } else {
        found.waits = true;
      }
    }
  }
  return found;
}

consumer_member step(const consumer_member& now, reconciliation& inputs) {
  difference change = compare(now, inputs);
  consumer_member next = now;
  next.assigned = std::move(change.kept);
  if (!change.to_revoke.empty() && owns_any(inputs.owned, change.to_revoke)) {
    next.state = consumer_member_state::unrevoked;
    next.to_revoke = std::move(change.to_revoke);
    next.move_to_epoch(now.epoch);
    return next;
  }
  for (auto& [topic, partitions] : change.added) next.assigned[topic].merge(partitions);
  next.to_revoke.clear();
  next.state = change.waits ? consumer_member_state::unreleased : consumer_member_state::stable;
  next.move_to_epoch(inputs.target_epoch);
  return next;
}

}  // namespace

consumer_member reconcile(const consumer_member& now, reconciliation& inputs) {
  switch (now.state) {
    case consumer_member_state::stable:
      if (now.epoch != inputs.target_epoch) return step(now, inputs);
      return inputs.subscription_changed ? drop_unsubscribed(now, inputs) : now;
    case consumer_member_state::unrevoked:
      if (!owns_any(inputs.owned, now.to_revoke)) return step(now, inputs);
      return inputs.subscription_changed ? drop_unsubscribed(now, inputs) : now;
    case consumer_member_state::unreleased:
    case consumer_member_state::unknown:
      break;
  }
  return step(now, inputs);
}

}  // namespace ringlog::broker
