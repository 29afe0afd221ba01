#include "broker/group/assignors.h"

#include <algorithm>

namespace ringlog::broker {

namespace {

// Members as an assignor fills them.
struct share {
  const assignor_member* member;
  partitions_by_topic partitions;
  std::size_t count = 0;

  void take(const uuid& topic, std::int32_t partition) {
    partitions[topic].insert(partition);
    ++count;
  }
  void give_up(const uuid& topic, std::int32_t partition) {
    const auto found = partitions.find(topic);
    found->second.erase(partition);
    if (found->second.empty()) partitions.erase(found);
    --count;
  }
};

using shares = std::vector<share>;
using topic_partition_id = std::pair<uuid, std::int32_t>;

// What the members keep of their targets: partitions that are there, that they want and that no
// one before them has.
shares keep_targets(const assignor_input& input, std::set<topic_partition_id>& taken) {
  shares all;
  for (const assignor_member& member : input.members) {
    share& kept = all.emplace_back(share{&member, {}, 0});
    for (const auto& [topic, partitions] : member.target) {
      if (!member.topics.contains(topic)) continue;
      const auto count = input.partition_counts.find(topic);
      if (count == input.partition_counts.end()) continue;
      for (const std::int32_t partition : partitions) {
        if (partition >= count->second || !taken.emplace(topic, partition).second) continue;
        kept.take(topic, partition);
      }
    }
  }
  return all;
}

std::vector<topic_partition_id> not_taken(const assignor_input& input,
                                          const std::set<topic_partition_id>& taken) {
  std::vector<topic_partition_id> all;
  for (const auto& [topic, count] : input.partition_counts) {
    for (std::int32_t partition = 0; partition < count; ++partition) {
      if (!taken.contains({topic, partition})) all.emplace_back(topic, partition);
    }
  }
  return all;
}

// All members want the same topics: each has its quota; those that have most keep the odd ones.
void spread_evenly(shares& all, std::vector<topic_partition_id> left, std::size_t total) {
  std::vector<share*> order;
  for (share& one : all) order.push_back(&one);
  std::ranges::stable_sort(order, std::ranges::greater(), &share::count);
  const std::size_t quota = total / order.size();
  const std::size_t odd = total % order.size();
  const auto quota_of = [&](std::size_t place) { return quota + (place < odd ? 1 : 0); };
  for (std::size_t place = 0; place < order.size(); ++place) {
    share& over = *order[place];
    while (over.count > quota_of(place)) {
      const auto largest = std::ranges::max_element(
          over.partitions, {}, [](const auto& entry) { return entry.second.size(); });
      const topic_partition_id given{largest->first, *largest->second.rbegin()};
      over.give_up(given.first, given.second);
      left.push_back(given);
    }
  }
  auto next = left.begin();
  for (std::size_t place = 0; place < order.size(); ++place) {
    for (; order[place]->count < quota_of(place); ++next) {
      order[place]->take(next->first, next->second);
    }
  }
}

using subscribers_by_topic = std::map<uuid, std::vector<share*>>;

// Moves partitions of one topic from those that have much to those that have little, as long as
// that makes the two more even. True when any was moved.
bool even_out(const uuid& topic, const std::vector<share*>& subscribers) {
  bool moved = false;
  for (;;) {
    share* most = nullptr;
    for (share* one : subscribers) {
      if (one->partitions.contains(topic) && (most == nullptr || one->count > most->count)) {
        most = one;
      }
    }
    share* least = *std::ranges::min_element(subscribers, {}, &share::count);
    if (most == nullptr || most->count < least->count + 2) return moved;
    const std::int32_t partition = *most->partitions[topic].rbegin();
    most->give_up(topic, partition);
    least->take(topic, partition);
    moved = true;
  }
}

// Members want different topics: what nobody has goes to the subscriber with the least, topics
// that few want first; then moves even it out until none helps any more. Each lowers the sum of
// squares of the counts, so that they end.
void spread_by_subscription(shares& all, const std::vector<topic_partition_id>& left) {
  subscribers_by_topic subscribers;
  for (share& one : all) {
    for (const uuid& topic : one.member->topics) subscribers[topic].push_back(&one);
  }
  std::vector<topic_partition_id> order;
  std::ranges::copy_if(left, std::back_inserter(order),
                       [&](const auto& entry) { return subscribers.contains(entry.first); });
  std::ranges::stable_sort(order, {},
                           [&](const auto& entry) { return subscribers.at(entry.first).size(); });
  for (const auto& [topic, partition] : order) {
    (*std::ranges::min_element(subscribers.at(topic), {}, &share::count))->take(topic, partition);
  }
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [topic, who] : subscribers) moved |= even_out(topic, who);
  }
}

}  // namespace

group_assignment assign_uniform(const assignor_input& input) {
  if (input.members.empty()) return {};
  std::set<topic_partition_id> taken;
  shares all = keep_targets(input, taken);
  std::vector<topic_partition_id> left = not_taken(input, taken);
  const bool all_want_the_same = std::ranges::all_of(input.members, [&](const auto& member) {
    return member.topics.size() == input.partition_counts.size();
  });
  if (all_want_the_same) {
    const std::size_t total = left.size() + taken.size();
    spread_evenly(all, std::move(left), total);
  } else {
    spread_by_subscription(all, left);
  }
  group_assignment assignment;
  for (share& one : all) assignment[one.member->id] = std::move(one.partitions);
  return assignment;
}

group_assignment assign_range(const assignor_input& input) {
  std::vector<const assignor_member*> order;
  for (const assignor_member& member : input.members) order.push_back(&member);
  std::ranges::stable_sort(order, {}, [](const assignor_member* member) {
    return std::pair(!member->instance, member->instance.value_or(member->id));
  });
  group_assignment assignment;
  for (const assignor_member* member : order) assignment[member->id];
  for (const auto& [topic, count] : input.partition_counts) {
    std::vector<const assignor_member*> subscribers;
    std::ranges::copy_if(order, std::back_inserter(subscribers),
                         [&](const auto* member) { return member->topics.contains(topic); });
    if (subscribers.empty()) continue;
    const auto size = static_cast<std::int32_t>(subscribers.size());
    std::int32_t next = 0;
    for (std::int32_t place = 0; place < size; ++place) {
      const std::int32_t end = next + count / size + (place < count % size ? 1 : 0);
      for (; next < end; ++next) {
        assignment[subscribers[static_cast<std::size_t>(place)]->id][topic].insert(next);
      }
    }
  }
  return assignment;
}

assignor find_assignor(std::string_view name) {
  if (name == "uniform") return assign_uniform;
  if (name == "range") return assign_range;
  return nullptr;
}

}  // namespace ringlog::broker
