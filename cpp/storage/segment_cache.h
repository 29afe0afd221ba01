#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "base/hash_map.h"
#include "base/limits.h"
#include "base/log_sink.h"
#include "base/result.h"
#include "io/file.h"
#include "storage/segment.h"
#include "storage/sync_group.h"

namespace ringlog::storage {

// Open files and loaded indexes of segments, the least recently used given up first. One per
// log_manager. Any thread; files are opened and read outside its mutex, so two threads may load
// the same segment at once and one result is kept.
class segment_cache {
 public:
  segment_cache(io::file_system& disk, log_sink& sink, bool read_only,
                std::int64_t files_max = limits::open_segment_files_max,
                std::int64_t index_bytes_max = limits::index_cache_bytes_max);

  // The segment's .log file, open for reading and, unless read-only, writing. error_code::not_found
  // when there is none; make_log_file makes it.
  result<std::shared_ptr<io::file>> log_file(const segment& of);
  result<std::shared_ptr<io::file>> make_log_file(const segment& of);

  // The indexes of a sealed segment. Damaged ones are built again in memory from the batches.
  // Not for the indexes that a segment still holds itself.
  result<std::shared_ptr<const segment_indexes>> indexes(const segment& of);

  void keep(const segment& of, std::shared_ptr<const segment_indexes> loaded);

  // The segment is gone or its content changed.
  void forget(const segment& of);

 private:
  struct slot {
    std::uint64_t segment_id;
    std::shared_ptr<io::file> file;
    std::shared_ptr<const segment_indexes> indexes;
    std::int64_t index_bytes = 0;
  };
  using slots = std::list<slot>;

  result<std::shared_ptr<io::file>> open_log_file(const segment& of, io::open_mode mode);
  slot& touch(std::uint64_t segment_id);  // at the front afterwards
  void shrink();

  io::file_system& disk_;
  log_sink& sink_;
  const bool read_only_;
  const std::int64_t files_max_;
  const std::int64_t index_bytes_max_;

  std::mutex mutex_;
  slots slots_;  // most recently used first
  hash_map<std::uint64_t, slots::iterator> by_id_;
  std::int64_t index_bytes_ = 0;
};

// Reads the three index files. error_code::not_found when offset or time index is missing,
// corrupt or unsupported as the indexes' decode.
result<std::shared_ptr<segment_indexes>> read_indexes(io::file_system& disk, const segment& of);

// Offset and time index from the headers of the batches. The transaction index is left as it is on
// disk: it needs the state of the producers before the segment.
result<std::shared_ptr<segment_indexes>> rebuild_indexes(io::file_system& disk, io::file& log,
                                                         const segment& of,
                                                         std::int64_t index_interval_bytes);

// Writes the index files, for `written` to sync; the transaction index only when it is not empty.
status write_indexes(io::file_system& disk, const segment& of, const segment_indexes& indexes,
                     sync_group& written);

}  // namespace ringlog::storage
