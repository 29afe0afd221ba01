#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "model/types.h"
#include "storage/check/partition_check.h"

namespace ringlog::app {

// What the records of a partition come to, whatever batches and codecs hold them: two logs with the
// same records at the same offsets have the same summary. XXH3 with 64 bits over, for each record
// that is no control record, in order and big-endian: offset i64, timestamp i64, key, value, number
// of headers i32, and of each header name and value; bytes with their length i32 before them, -1
// for null.
struct content_summary {
  std::int64_t records = 0;
  std::int64_t bytes = 0;  // of keys, values and headers
  std::uint64_t xxh3 = 0;
};

// Summaries of the partitions of one check. One thread.
class content_hash {
 public:
  content_hash();
  ~content_hash();

  // To be shown the partition's batches.
  storage::batch_visitor visitor_of(const topic_partition& name);

  content_summary summary_of(const topic_partition& name) const;

 private:
  class stream;
  std::map<topic_partition, std::shared_ptr<stream>> streams_;
};

}  // namespace ringlog::app
