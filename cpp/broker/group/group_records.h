#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/coordinator_log.h"
#include "broker/group/group_offsets.h"
#include "protocol/stored/group/group_metadata.h"

// The records of __consumer_offsets in the versions that Kafka 4.3 writes (GroupCoordinatorRecord-
// Helpers, CoordinatorRecordTypes). A key is its type as int16 and the key's fields, a value its
// version as int16 and the value's fields.
namespace ringlog::broker {

namespace record_types {
inline constexpr std::int16_t legacy_offset_commit = 0;
inline constexpr std::int16_t offset_commit = 1;
inline constexpr std::int16_t group_metadata = 2;
}  // namespace record_types

// Protocols whose groups are kept but not served.
enum class kept_group_type : std::uint8_t { share, streams };

// What every key says. All begin with the group.
struct group_record_key {
  std::int16_t type = -1;
  std::string group;
  topic_partition partition;  // of offset commits
  std::string second_name;    // of member records the member, of expressions the expression

  bool is_offset_commit() const {
    return type == record_types::offset_commit || type == record_types::legacy_offset_commit;
  }
  bool is_of_consumer_group() const { return (type >= 3 && type <= 8) || type == 16; }
  // None for the protocols that are served and for types that we do not know.
  std::optional<kept_group_type> kept_type() const;
};

result<group_record_key> parse_group_key(bytes_view key);
result<stored_offset> parse_offset_value(std::int16_t key_type, bytes_view value);
result<protocol::group_metadata_value> parse_group_value(bytes_view value);

coordinator_record offset_record(const std::string& group, const topic_partition& tp,
                                 const stored_offset& offset);
coordinator_record offset_tombstone(const std::string& group, const topic_partition& tp);
coordinator_record group_record(const std::string& group,
                                const protocol::group_metadata_value& value);
coordinator_record group_tombstone(const std::string& group);

}  // namespace ringlog::broker
