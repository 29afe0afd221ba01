#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/tools/cluster.h"

namespace ringlog::app {

// Where a group is to go on: one of these, as kafka-consumer-groups --reset-offsets takes it.
struct reset_arguments {
  bool to_earliest = false;
  bool to_latest = false;
  bool to_current = false;
  std::optional<std::int64_t> to_offset;
  std::optional<std::int64_t> shift_by;
  std::string to_datetime;  // 2026-03-01T12:00:00.000, in UTC unless it says otherwise
  std::string by_duration;  // P7D, PT1H30M: so long ago
  std::string from_file;    // lines of "topic,partition,offset"
};

using offsets_by_partition = std::vector<std::pair<topic_partition, offset_t>>;

// The new offsets of the partitions; beyond a partition's ends it is the end.
result<offsets_by_partition> new_offsets(const reset_arguments& given, const std::string& group,
                                         const std::vector<topic_partition>& partitions,
                                         std::int64_t now_ms, cluster& target);

// "name" or "name:0,1,2" against the topics that are there.
result<std::vector<topic_partition>> partitions_of(const std::vector<std::string>& texts,
                                                   cluster& target);

// Of a time as --to-datetime takes it, in milliseconds; of a duration as --by-duration does.
result<std::int64_t> parse_datetime(const std::string& text);
result<std::int64_t> parse_duration(const std::string& text);

}  // namespace ringlog::app
