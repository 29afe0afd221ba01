#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "broker/coordinator_log.h"
#include "broker/group/consumer_member.h"

// The records of consumer groups in __consumer_offsets (KIP-848), as Kafka 4.3 writes and reads
// them (GroupCoordinatorRecordHelpers).
namespace ringlog::broker {

namespace record_types {
inline constexpr std::int16_t consumer_group = 3;
inline constexpr std::int16_t consumer_group_topics = 4;  // Kafka 4.0's; only removed here
inline constexpr std::int16_t consumer_member = 5;
inline constexpr std::int16_t consumer_target = 6;
inline constexpr std::int16_t consumer_member_target = 7;
inline constexpr std::int16_t consumer_member_assignment = 8;
inline constexpr std::int16_t consumer_expression = 16;
}  // namespace record_types

struct stored_consumer_group {
  std::int32_t epoch = 0;
  std::int64_t metadata_hash = 0;
};

struct stored_consumer_target {
  std::int32_t epoch = 0;
  std::int64_t timestamp = 0;
};

// The topics that an expression matched.
struct resolved_expression {
  std::set<std::string> topics;
  std::int64_t version = 0;  // of the metadata
  std::int64_t timestamp = 0;
};

coordinator_record to_record(const std::string& group, const stored_consumer_group& value);
coordinator_record to_record(const std::string& group, const stored_consumer_target& value);
coordinator_record member_record(const std::string& group, const consumer_member& member);
coordinator_record member_target_record(const std::string& group, const std::string& member,
                                        const partitions_by_topic& target);
coordinator_record member_assignment_record(const std::string& group,
                                            const consumer_member& member);
coordinator_record expression_record(const std::string& group, const std::string& expression,
                                     const resolved_expression& value);

// `name` of a member or an expression, for the types that have one.
coordinator_record consumer_tombstone(std::int16_t type, const std::string& group,
                                      const std::string& name = "");

result<stored_consumer_group> parse_consumer_group(bytes_view value);
result<stored_consumer_target> parse_consumer_target(bytes_view value);
result<partitions_by_topic> parse_member_target(bytes_view value);
result<resolved_expression> parse_expression(bytes_view value);

// Take over what the value says; the rest of the member stays.
status read_member(bytes_view value, consumer_member& member);
status read_member_assignment(bytes_view value, consumer_member& member);

}  // namespace ringlog::broker
