#include "broker/group/consumer_group_records.h"

#include "broker/group/record_codec.h"
#include "protocol/stored/group/consumer_group_current_member_assignment.h"
#include "protocol/stored/group/consumer_group_member_metadata.h"
#include "protocol/stored/group/consumer_group_metadata.h"
#include "protocol/stored/group/consumer_group_regular_expression.h"
#include "protocol/stored/group/consumer_group_target_assignment_member.h"
#include "protocol/stored/group/consumer_group_target_assignment_metadata.h"

namespace ringlog::broker {

namespace {

using assignment_value = protocol::consumer_group_current_member_assignment_value;

// All keys are the group, of some types followed by a member or an expression.
byte_buffer key_of(std::int16_t type, const std::string& group, const std::string& name) {
  protocol::writer out;
  out.write_integer(type);
  out.write_string(group, false);
  const bool has_name =
      type == record_types::consumer_member || type == record_types::consumer_member_target ||
      type == record_types::consumer_member_assignment || type == record_types::consumer_expression;
  if (has_name) out.write_string(name, false);
  auto bytes = std::move(out).take("the key of a consumer group's record");
  CHECK(bytes.ok(), "a key that cannot be written:", bytes.failure().message);
  return std::move(bytes.value());
}

template <typename Message>
coordinator_record make_record(const std::string& group, const std::string& name,
                               const Message& value) {
  return {key_of(Message::info.api_key, group, name), encode_stored(0, value, 0)};
}

std::vector<assignment_value::topic_partitions> to_stored(const held_partitions& held) {
  std::vector<assignment_value::topic_partitions> all;
  for (const auto& [topic, partitions] : held) {
    auto& target = all.emplace_back();
    target.topic_id = topic;
    for (const auto& [partition, epoch] : partitions) {
      target.partitions.push_back(partition);
      target.assignment_epochs->push_back(epoch);
    }
  }
  return all;
}

// Kafka before 4.3 stored no epochs: partitions count as given in the member's epoch.
held_partitions to_held(const std::vector<assignment_value::topic_partitions>& stored,
                        std::int32_t member_epoch) {
  held_partitions held;
  for (const auto& source : stored) {
    const bool has_epochs =
        source.assignment_epochs && source.assignment_epochs->size() == source.partitions.size();
    for (std::size_t i = 0; i < source.partitions.size(); ++i) {
      held[source.topic_id][source.partitions[i]] =
          has_epochs ? (*source.assignment_epochs)[i] : member_epoch;
    }
  }
  return held;
}

consumer_member_state to_state(std::int8_t number) {
  return number >= 0 && number <= 2 ? static_cast<consumer_member_state>(number)
                                    : consumer_member_state::unknown;
}

}  // namespace

coordinator_record to_record(const std::string& group, const stored_consumer_group& value) {
  protocol::consumer_group_metadata_value stored;
  stored.epoch = value.epoch;
  stored.metadata_hash = value.metadata_hash;
  return make_record(group, "", stored);
}

coordinator_record to_record(const std::string& group, const stored_consumer_target& value) {
  protocol::consumer_group_target_assignment_metadata_value stored;
  stored.assignment_epoch = value.epoch;
  stored.assignment_timestamp = value.timestamp;
  return make_record(group, "", stored);
}

coordinator_record member_record(const std::string& group, const consumer_member& member) {
  protocol::consumer_group_member_metadata_value stored;
  stored.instance_id = member.instance;
  stored.rack_id = member.rack;
  stored.client_id = member.client_id;
  stored.client_host = member.client_host;
  stored.subscribed_topic_names.assign(member.topics.begin(), member.topics.end());
  stored.subscribed_topic_regex = member.expression.value_or("");  // as Kafka, never null
  stored.rebalance_timeout_ms = member.rebalance_timeout_ms;
  stored.server_assignor = member.assignor;
  stored.classic_member_metadata.reset();
  if (member.classic) {
    protocol::consumer_group_member_metadata_value::classic_member classic;
    classic.session_timeout_ms = member.classic->session_timeout_ms;
    for (const join_protocol& protocol : member.classic->protocols) {
      auto& target = classic.supported_protocols.emplace_back();
      target.name = protocol.name;
      target.metadata = protocol.metadata;
    }
    stored.classic_member_metadata = std::move(classic);
  }
  return make_record(group, member.id, stored);
}

coordinator_record member_target_record(const std::string& group, const std::string& member,
                                        const partitions_by_topic& target) {
  protocol::consumer_group_target_assignment_member_value stored;
  for (const auto& [topic, partitions] : target) {
    auto& assigned = stored.topic_partitions.emplace_back();
    assigned.topic_id = topic;
    assigned.partitions.assign(partitions.begin(), partitions.end());
  }
  return make_record(group, member, stored);
}

coordinator_record member_assignment_record(const std::string& group,
                                            const consumer_member& member) {
  assignment_value stored;
  stored.member_epoch = member.epoch;
  stored.previous_member_epoch = member.previous_epoch;
  stored.state = static_cast<std::int8_t>(member.state);
  stored.assigned_partitions = to_stored(member.assigned);
  stored.partitions_pending_revocation = to_stored(member.to_revoke);
  return make_record(group, member.id, stored);
}

coordinator_record expression_record(const std::string& group, const std::string& expression,
                                     const resolved_expression& value) {
  protocol::consumer_group_regular_expression_value stored;
  stored.topics.assign(value.topics.begin(), value.topics.end());
  stored.version = value.version;
  stored.timestamp = value.timestamp;
  return make_record(group, expression, stored);
}

coordinator_record consumer_tombstone(std::int16_t type, const std::string& group,
                                      const std::string& name) {
  return {key_of(type, group, name), std::nullopt};
}

result<stored_consumer_group> parse_consumer_group(bytes_view value) {
  TRY_ASSIGN(const auto stored, decode_stored<protocol::consumer_group_metadata_value>(value));
  return stored_consumer_group{stored.epoch, stored.metadata_hash};
}

result<stored_consumer_target> parse_consumer_target(bytes_view value) {
  TRY_ASSIGN(const auto stored,
             decode_stored<protocol::consumer_group_target_assignment_metadata_value>(value));
  return stored_consumer_target{stored.assignment_epoch, stored.assignment_timestamp};
}

result<partitions_by_topic> parse_member_target(bytes_view value) {
  TRY_ASSIGN(const auto stored,
             decode_stored<protocol::consumer_group_target_assignment_member_value>(value));
  partitions_by_topic target;
  for (const auto& source : stored.topic_partitions) {
    target[source.topic_id].insert(source.partitions.begin(), source.partitions.end());
  }
  return target;
}

result<resolved_expression> parse_expression(bytes_view value) {
  TRY_ASSIGN(const auto stored,
             decode_stored<protocol::consumer_group_regular_expression_value>(value));
  return resolved_expression{
      {stored.topics.begin(), stored.topics.end()}, stored.version, stored.timestamp};
}

status read_member(bytes_view value, consumer_member& member) {
  TRY_ASSIGN(auto stored, decode_stored<protocol::consumer_group_member_metadata_value>(value));
  member.instance = std::move(stored.instance_id);
  member.rack = std::move(stored.rack_id);
  member.client_id = std::move(stored.client_id);
  member.client_host = std::move(stored.client_host);
  member.topics = {stored.subscribed_topic_names.begin(), stored.subscribed_topic_names.end()};
  member.expression = std::move(stored.subscribed_topic_regex);
  if (member.expression && member.expression->empty()) member.expression.reset();
  member.rebalance_timeout_ms = stored.rebalance_timeout_ms;
  member.assignor = std::move(stored.server_assignor);
  member.classic.reset();
  const auto& classic = stored.classic_member_metadata;
  if (!classic || classic->supported_protocols.empty()) return {};
  member.classic.emplace().session_timeout_ms = classic->session_timeout_ms;
  for (const auto& source : classic->supported_protocols) {
    member.classic->protocols.push_back({source.name, to_buffer(source.metadata)});
  }
  return {};
}

status read_member_assignment(bytes_view value, consumer_member& member) {
  TRY_ASSIGN(const auto stored, decode_stored<assignment_value>(value));
  member.epoch = stored.member_epoch;
  member.previous_epoch = stored.previous_member_epoch;
  member.state = to_state(stored.state);
  member.assigned = to_held(stored.assigned_partitions, stored.member_epoch);
  member.to_revoke = to_held(stored.partitions_pending_revocation, stored.member_epoch);
  return {};
}

}  // namespace ringlog::broker
