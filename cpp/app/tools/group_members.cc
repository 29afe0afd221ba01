#include "app/tools/group_members.h"

#include "client/consumer_protocol.h"

namespace ringlog::app {

std::vector<topic_partition> assigned_to(const broker::described_member& member) {
  auto decoded = client::decode_assignment(member.assignment);
  return decoded.ok() ? std::move(decoded).value() : std::vector<topic_partition>();
}

std::map<topic_partition, const broker::described_member*> owners_of(
    const broker::described_group& group) {
  std::map<topic_partition, const broker::described_member*> owners;
  for (const auto& member : group.members) {
    for (auto& partition : assigned_to(member)) owners.emplace(std::move(partition), &member);
  }
  return owners;
}

}  // namespace ringlog::app
