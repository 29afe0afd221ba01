#include "broker/group/group_records.h"

#include "broker/group/record_codec.h"
#include "protocol/stored/group/group_metadata.h"
#include "protocol/stored/group/legacy_offset_commit.h"
#include "protocol/stored/group/offset_commit.h"

namespace ringlog::broker {

namespace {

constexpr std::int16_t group_metadata_version = 3;
constexpr std::int16_t offset_commit_version = 4;
constexpr std::int16_t offset_commit_version_with_expire_timestamp = 1;

// Key types whose second field is a member id (KIP-848, KIP-932, KIP-1071) or, of type 16, a
// regular expression.
bool has_second_name(std::int16_t type) {
  switch (type) {
    case 5:
    case 7:
    case 8:
    case 10:
    case 13:
    case 14:
    case 16:
    case 19:
    case 21:
    case 22:
      return true;
    default:
      return false;
  }
}

byte_buffer offset_key(const std::string& group, const topic_partition& tp) {
  protocol::offset_commit_key key;
  key.group = group;
  key.topic = tp.topic;
  key.partition = tp.partition.value();
  return encode_stored(record_types::offset_commit, key, 0);
}

byte_buffer group_key(const std::string& group) {
  protocol::group_metadata_key key;
  key.group = group;
  return encode_stored(record_types::group_metadata, key, 0);
}

}  // namespace

std::optional<kept_group_type> group_record_key::kept_type() const {
  if (type >= 10 && type <= 15) return kept_group_type::share;
  if (type >= 17 && type <= 23) return kept_group_type::streams;
  return std::nullopt;
}

result<group_record_key> parse_group_key(bytes_view key) {
  protocol::reader in(key);
  group_record_key parsed;
  parsed.type = in.read_integer<std::int16_t>();
  parsed.group = in.read_string(false);
  if (parsed.is_offset_commit()) {
    parsed.partition.topic = in.read_string(false);
    parsed.partition.partition = partition_id_t(in.read_integer<std::int32_t>());
  } else if (has_second_name(parsed.type)) {
    parsed.second_name = in.read_string(false);
  }
  TRY(in.finish_early("the key of a group record"));
  return parsed;
}

result<stored_offset> parse_offset_value(std::int16_t key_type, bytes_view bytes) {
  stored_offset parsed;
  if (key_type == record_types::legacy_offset_commit) {
    TRY_ASSIGN(auto value, decode_stored<protocol::legacy_offset_commit_value>(bytes));
    parsed.position = {offset_t(value.offset), no_leader_epoch, std::move(value.metadata)};
    parsed.commit_timestamp = value.commit_timestamp;
    return parsed;
  }
  TRY_ASSIGN(auto value, decode_stored<protocol::offset_commit_value>(bytes));
  parsed.position = {offset_t(value.offset), leader_epoch_t(value.leader_epoch),
                     std::move(value.metadata)};
  parsed.commit_timestamp = value.commit_timestamp;
  parsed.expire_timestamp = value.expire_timestamp;
  parsed.topic_id = value.topic_id;
  return parsed;
}

result<protocol::group_metadata_value> parse_group_value(bytes_view value) {
  return decode_stored<protocol::group_metadata_value>(value);
}

coordinator_record offset_record(const std::string& group, const topic_partition& tp,
                                 const stored_offset& offset) {
  protocol::offset_commit_value value;
  value.offset = offset.position.offset.value();
  value.leader_epoch = offset.position.leader_epoch.value();
  value.metadata = offset.position.metadata;
  value.commit_timestamp = offset.commit_timestamp;
  value.expire_timestamp = offset.expire_timestamp;
  value.topic_id = offset.topic_id;
  std::int16_t version = offset_commit_version;
  if (offset.expire_timestamp != no_timestamp) {
    version = offset_commit_version_with_expire_timestamp;
  }
  return {offset_key(group, tp), encode_stored(version, value, version)};
}

coordinator_record offset_tombstone(const std::string& group, const topic_partition& tp) {
  return {offset_key(group, tp), std::nullopt};
}

coordinator_record group_record(const std::string& group,
                                const protocol::group_metadata_value& value) {
  return {group_key(group), encode_stored(group_metadata_version, value, group_metadata_version)};
}

coordinator_record group_tombstone(const std::string& group) {
  return {group_key(group), std::nullopt};
}

}  // namespace ringlog::broker
