#include "client/assignors.h"

#include <algorithm>

namespace ringlog::client {
namespace {

// Static members first, by instance id, then the others by member id (Kafka: MemberInfo.compareTo).
std::vector<const assignor_member*> in_order(const std::vector<assignor_member>& members) {
  std::vector<const assignor_member*> order;
  for (const assignor_member& member : members) order.push_back(&member);
  std::sort(order.begin(), order.end(), [](const auto* left, const auto* right) {
    if (left->instance && right->instance) return *left->instance < *right->instance;
    if (left->instance || right->instance) return left->instance.has_value();
    return left->member < right->member;
  });
  return order;
}

bool subscribes(const assignor_member& member, const std::string& topic) {
  return std::find(member.topics.begin(), member.topics.end(), topic) != member.topics.end();
}

assignments empty_for(const std::vector<assignor_member>& members) {
  assignments result;
  for (const assignor_member& member : members) result[member.member];
  return result;
}

}  // namespace

assignments assign_range(const std::vector<assignor_member>& members,
                         const partition_counts& topics) {
  assignments result = empty_for(members);
  const auto order = in_order(members);
  for (const auto& [topic, count] : topics) {
    std::vector<const assignor_member*> subscribed;
    for (const auto* member : order) {
      if (subscribes(*member, topic)) subscribed.push_back(member);
    }
    if (subscribed.empty()) continue;
    const auto shares = static_cast<std::int32_t>(subscribed.size());
    std::int32_t next = 0;
    for (std::int32_t place = 0; place < shares; ++place) {
      const std::int32_t end = next + count / shares + (place < count % shares ? 1 : 0);
      auto& mine = result[subscribed[static_cast<std::size_t>(place)]->member];
      for (; next < end; ++next) mine.push_back({topic, partition_id_t(next)});
    }
  }
  return result;
}

assignments assign_round_robin(const std::vector<assignor_member>& members,
                               const partition_counts& topics) {
  assignments result = empty_for(members);
  const auto order = in_order(members);
  std::size_t turn = 0;
  for (const auto& [topic, count] : topics) {
    const bool wanted =
        std::any_of(order.begin(), order.end(),
                    [&topic = topic](const auto* member) { return subscribes(*member, topic); });
    if (!wanted) continue;
    for (std::int32_t partition = 0; partition < count; ++partition) {
      while (!subscribes(*order[turn % order.size()], topic)) ++turn;
      result[order[turn % order.size()]->member].push_back({topic, partition_id_t(partition)});
      ++turn;
    }
  }
  return result;
}

result<assignments> assign(std::string_view assignor, const std::vector<assignor_member>& members,
                           const partition_counts& topics) {
  if (assignor == "range") return assign_range(members, topics);
  if (assignor == "roundrobin") return assign_round_robin(members, topics);
  return make_error(error_code::inconsistent_group_protocol,
                    "the group chose the assignor '{}', which this client does not have: use "
                    "'range' or 'roundrobin' in every member",
                    assignor);
}

}  // namespace ringlog::client
