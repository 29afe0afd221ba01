#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "storage/checkpoint_file.h"
#include "storage/log_manager.h"

// Copies of an open log directory (docs/architecture.md, "A backup").
namespace ringlog::storage {

// A log as it was at one moment.
struct backup_log {
  topic_partition name;
  uuid topic_id;
  std::string directory;
  offset_t log_start{0};
  offset_t end{0};                 // of what was acknowledged
  std::vector<offset_t> segments;  // bases, rising; of those that hold something below the end
  offset_t whole_before{0};        // segments that begin below it have all their files
  std::vector<epoch_entry> epochs;
  std::uint64_t truncations = 0;
  std::shared_ptr<partition_log> log;   // null: nobody had opened it, its files are as they lie
  std::int64_t last_segment_bytes = 0;  // then: of the last one
};

struct backup_moment {
  directory_identity identity;
  std::vector<backup_log> logs;
};

// Takes note of where all logs are at one moment on the engine's thread, and answers when that
// much is in the segment files. Everything acknowledged before the call is in it. `note_more` runs
// there at the same moment; its failure is the answer. Any thread.
void begin_backup(log_manager& manager, std::function<status()> note_more,
                  callback<void(result<std::shared_ptr<const backup_moment>>)> done);

// Copies the logs of that moment into a log directory at `target`, an empty directory: as a crash
// would have left it at that moment, to be recovered by an open. Appends go on meanwhile.
// error_code::not_found when retention, or a deletion, was faster: take a new moment. Blocks.
status copy_logs(log_manager& manager, const backup_moment& moment, io::file_system& target_disk,
                 const std::string& target);

}  // namespace ringlog::storage
