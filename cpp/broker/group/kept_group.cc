#include "broker/group/kept_group.h"

#include <algorithm>

#include "broker/group/consumer_protocol.h"
#include "broker/group/record_codec.h"
#include "protocol/stored/group/share_group_current_member_assignment.h"
#include "protocol/stored/group/share_group_member_metadata.h"
#include "protocol/stored/group/streams_group_member_metadata.h"

namespace ringlog::broker {

namespace {

template <typename Message>
std::optional<Message> decode(bytes_view value) {
  auto decoded = decode_stored<Message>(value);
  if (!decoded.ok()) return std::nullopt;
  return std::move(decoded.value());
}

// Fills what the value of a member's metadata record says.
void read_metadata(std::int16_t key_type, bytes_view value, described_member& member) {
  const auto fill = [&](const auto& source) {
    member.client_id = source.client_id;
    member.client_host = source.client_host;
  };
  if (key_type == protocol::share_group_member_metadata_key::info.api_key) {
    const auto source = decode<protocol::share_group_member_metadata_value>(value);
    if (!source) return;
    fill(*source);
    member.metadata = write_subscription(source->subscribed_topic_names);
  } else {
    const auto source = decode<protocol::streams_group_member_metadata_value>(value);
    if (!source) return;
    fill(*source);
    member.instance = source->instance_id;
  }
}

bool is_member_metadata(std::int16_t key_type) {
  return key_type == protocol::share_group_member_metadata_key::info.api_key ||
         key_type == protocol::streams_group_member_metadata_key::info.api_key;
}

void read_assignment(std::int16_t key_type, bytes_view value, const metadata_lookup& topics,
                     described_member& member) {
  if (key_type != protocol::share_group_current_member_assignment_key::info.api_key) return;
  const auto source = decode<protocol::share_group_current_member_assignment_value>(value);
  if (!source) return;
  partitions_by_topic assigned;
  for (const auto& topic : source->assigned_partitions) {
    assigned[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  }
  member.assignment = write_assignment(assigned, member.metadata, topics);
}

group_record_key parse_kept_key(const byte_buffer& key) {
  auto parsed = parse_group_key(key);
  CHECK(parsed.ok(), "a kept key was parsed before");
  return std::move(parsed.value());
}

}  // namespace

void kept_group::put(bytes_view key, bytes_view value) {
  records_[to_buffer(key)] = to_buffer(value);
}

void kept_group::remove(bytes_view key) { records_.erase(to_buffer(key)); }

bool kept_group::has_members() const {
  return std::any_of(records_.begin(), records_.end(), [](const auto& entry) {
    return is_member_metadata(parse_kept_key(entry.first).type);
  });
}

std::vector<coordinator_record> kept_group::tombstones() const {
  // Key types fall: Kafka wants what a member holds gone before the member, and that before the
  // group.
  std::vector<coordinator_record> all;
  for (auto entry = records_.rbegin(); entry != records_.rend(); ++entry) {
    all.push_back({entry->first, std::nullopt});
  }
  return all;
}

std::string_view kept_group::type_name() const {
  switch (type_) {
    case kept_group_type::share:
      return "Share";
    case kept_group_type::streams:
      return "Streams";
  }
  return "";
}

std::string_view kept_group::protocol_type() const {
  switch (type_) {
    case kept_group_type::share:
      return "share";
    case kept_group_type::streams:
      return "streams";
  }
  return "";
}

std::vector<described_member> kept_group::describe_members(const metadata_lookup& topics) const {
  std::map<std::string, described_member> members;
  for (const auto& [key, value] : records_) {
    const group_record_key parsed = parse_kept_key(key);
    if (!is_member_metadata(parsed.type)) continue;
    described_member& member = members[parsed.second_name];
    member.member = parsed.second_name;
    read_metadata(parsed.type, value, member);
  }
  for (const auto& [key, value] : records_) {
    const group_record_key parsed = parse_kept_key(key);
    const auto found = members.find(parsed.second_name);
    if (found != members.end()) read_assignment(parsed.type, value, topics, found->second);
  }
  std::vector<described_member> all;
  for (auto& [id, member] : members) all.push_back(std::move(member));
  return all;
}

}  // namespace ringlog::broker
