#pragma once

#include "broker/partition_table.h"
#include "broker/types.h"

namespace ringlog::broker {

// What is asked about a partition's log besides its records: ListOffsets, OffsetForLeaderEpoch,
// DescribeProducers, and DeleteRecords. Any thread.
class log_queries {
 public:
  explicit log_queries(partition_table& partitions) : partitions_(partitions) {}

  result<listed_offset> list_offset(const list_offset_request& request);
  result<epoch_end_offset> offset_for_leader_epoch(const epoch_end_request& request);
  result<std::vector<active_producer>> describe_producers(const topic_partition& source);
  void delete_records(const topic_partition& source, offset_t before, reply<offset_t> done);

 private:
  partition_table& partitions_;
};

}  // namespace ringlog::broker
