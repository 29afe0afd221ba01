#pragma once

#include <string>

#include "base/result.h"
#include "storage/checkpoint_file.h"
#include "storage/log_offsets.h"
#include "storage/services.h"

namespace ringlog::storage {

// The three offset checkpoints of a log directory: what they say of partitions, loaded or not, and
// writing those that changed. Owned by the log_manager, used under its mutex; write_* on the
// engine's thread.
class log_checkpoints {
 public:
  log_checkpoints(io::file_system& disk, std::string directory)
      : disk_(disk), directory_(std::move(directory)) {}

  status read();

  offset_t recovery_point(const topic_partition& name) const;
  offset_t log_start(const topic_partition& name) const;

  // What a loaded log has now; `first_base` is that of its first segment.
  void note(const topic_partition& name, const log_offsets& offsets, offset_t first_base);
  void forget(const topic_partition& name);

  status write_recovery_points() { return write(recovery_points_); }
  status write_log_starts() { return write(log_starts_); }
  status write_high_watermarks() { return write(high_watermarks_); }
  status write_all();

 private:
  struct checkpoint {
    std::string_view file_name;
    offset_checkpoint entries;
    bool is_changed = false;  // since it was written

    void put(const topic_partition& name, offset_t offset);
    void remove(const topic_partition& name);
  };

  status read(checkpoint& of);
  status write(checkpoint& of);

  io::file_system& disk_;
  std::string directory_;
  checkpoint recovery_points_;
  checkpoint log_starts_;
  checkpoint high_watermarks_;
};

}  // namespace ringlog::storage
