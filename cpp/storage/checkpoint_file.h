#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "model/types.h"

// Kafka's text checkpoints (CheckpointFile.java): a version line "0", a line with the number of
// entries, one entry per line. A file is replaced as a whole and atomically; a missing file reads
// as one without entries; a wrong count or line is error_code::corrupt.
namespace ringlog::storage {

// recovery-point-, log-start- and replication-offset-checkpoint, cleaner-offset-checkpoint.
using offset_checkpoint = std::map<topic_partition, offset_t>;

result<offset_checkpoint> read_offset_checkpoint(io::file_system& disk, const std::string& path);
status write_offset_checkpoint(io::file_system& disk, const std::string& path,
                               const offset_checkpoint& entries);

struct epoch_entry {
  leader_epoch_t epoch{no_leader_epoch};
  offset_t start_offset{no_offset};
  bool operator==(const epoch_entry&) const = default;
};

// leader-epoch-checkpoint: both columns strictly rising.
result<std::vector<epoch_entry>> read_epoch_checkpoint(io::file_system& disk,
                                                       const std::string& path);
std::string epoch_checkpoint_text(const std::vector<epoch_entry>& entries);

}  // namespace ringlog::storage
