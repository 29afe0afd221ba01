#include "broker/group/kept_group.h"

#include <algorithm>

#include "protocol/reader.h"
#include "protocol/stored/consumer_protocol/assignment.h"
#include "protocol/stored/consumer_protocol/subscription.h"
#include "protocol/stored/group/consumer_group_current_member_assignment.h"
#include "protocol/stored/group/consumer_group_member_metadata.h"
#include "protocol/stored/group/share_group_current_member_assignment.h"
#include "protocol/stored/group/share_group_member_metadata.h"
#include "protocol/stored/group/streams_group_member_metadata.h"
#include "protocol/writer.h"

namespace ringlog::broker {

namespace {

template <typename Message>
std::optional<Message> decode(bytes_view value) {
  protocol::reader in(value);
  const auto version = in.read_integer<std::int16_t>();
  in.check_version(Message::info, version);
  if (!in.ok()) return std::nullopt;
  Message message = Message::decode(in, version);
  if (!in.finish_early(Message::info.name).ok()) return std::nullopt;
  return message;
}

template <typename Message>
byte_buffer encode_consumer_protocol(const Message& message) {
  protocol::writer out;
  out.write_integer(std::int16_t{0});  // the version
  message.encode(out, 0);
  return std::move(out).take(Message::info.name).value();
}

byte_buffer classic_subscription(const std::vector<std::string>& topics) {
  protocol::consumer_protocol_subscription subscription;
  subscription.topics = topics;
  return encode_consumer_protocol(subscription);
}

template <typename Partitions>
byte_buffer classic_assignment(const std::vector<Partitions>& assigned,
                               const topic_lookup& topics) {
  protocol::consumer_protocol_assignment assignment;
  for (const Partitions& source : assigned) {
    if (auto name = topics.find_name(source.topic_id)) {
      assignment.assigned_partitions.push_back({*name, source.partitions});
    }
  }
  return encode_consumer_protocol(assignment);
}

// Fills what the value of a member's metadata record says.
void read_metadata(std::int16_t key_type, bytes_view value, described_member& member) {
  const auto fill = [&](const auto& source) {
    member.client_id = source.client_id;
    member.client_host = source.client_host;
  };
  if (key_type == protocol::consumer_group_member_metadata_key::info.api_key) {
    const auto source = decode<protocol::consumer_group_member_metadata_value>(value);
    if (!source) return;
    fill(*source);
    member.instance = source->instance_id;
    member.metadata = classic_subscription(source->subscribed_topic_names);
  } else if (key_type == protocol::share_group_member_metadata_key::info.api_key) {
    const auto source = decode<protocol::share_group_member_metadata_value>(value);
    if (!source) return;
    fill(*source);
    member.metadata = classic_subscription(source->subscribed_topic_names);
  } else {
    const auto source = decode<protocol::streams_group_member_metadata_value>(value);
    if (!source) return;
    fill(*source);
    member.instance = source->instance_id;
  }
}

bool is_member_metadata(std::int16_t key_type) {
  return key_type == protocol::consumer_group_member_metadata_key::info.api_key ||
         key_type == protocol::share_group_member_metadata_key::info.api_key ||
         key_type == protocol::streams_group_member_metadata_key::info.api_key;
}

void read_assignment(std::int16_t key_type, bytes_view value, const topic_lookup& topics,
                     described_member& member) {
  if (key_type == protocol::consumer_group_current_member_assignment_key::info.api_key) {
    const auto source = decode<protocol::consumer_group_current_member_assignment_value>(value);
    if (source) member.assignment = classic_assignment(source->assigned_partitions, topics);
  } else if (key_type == protocol::share_group_current_member_assignment_key::info.api_key) {
    const auto source = decode<protocol::share_group_current_member_assignment_value>(value);
    if (source) member.assignment = classic_assignment(source->assigned_partitions, topics);
  }
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
    case kept_group_type::consumer:
      return "Consumer";
    case kept_group_type::share:
      return "Share";
    case kept_group_type::streams:
      return "Streams";
  }
  return "";
}

std::string_view kept_group::protocol_type() const {
  switch (type_) {
    case kept_group_type::consumer:
      return "consumer";
    case kept_group_type::share:
      return "share";
    case kept_group_type::streams:
      return "streams";
  }
  return "";
}

std::vector<described_member> kept_group::describe_members(const topic_lookup& topics) const {
  std::map<std::string, described_member> members;
  for (const auto& [key, value] : records_) {
    const group_record_key parsed = parse_kept_key(key);
    if (!is_member_metadata(parsed.type)) continue;
    described_member& member = members[parsed.member];
    member.member = parsed.member;
    read_metadata(parsed.type, value, member);
  }
  for (const auto& [key, value] : records_) {
    const group_record_key parsed = parse_kept_key(key);
    const auto found = members.find(parsed.member);
    if (found != members.end()) read_assignment(parsed.type, value, topics, found->second);
  }
  std::vector<described_member> all;
  for (auto& [id, member] : members) all.push_back(std::move(member));
  return all;
}

}  // namespace ringlog::broker
