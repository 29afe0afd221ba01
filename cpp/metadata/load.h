#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "metadata/image.h"
#include "metadata/snapshot.h"
#include "protocol/stored/control/messages.h"
#include "storage/log_manager.h"
#include "storage/partition_log.h"
#include "storage/services.h"

namespace ringlog::metadata {

// The metadata of a directory: its newest snapshot and the log behind it.
struct loaded_metadata {
  std::shared_ptr<storage::partition_log> log;
  image_ptr image;
  bool in_transaction = false;  // the log ends inside of one; the image is without it
  std::int64_t bytes_read = 0;  // of the log, behind the snapshot
  snapshot_id snapshot_at;      // zero: none, or the first
  std::optional<protocol::kraft_version_record> kraft_version;
  std::optional<protocol::voters_record> voters;
};

// Changes nothing, so that tools use it too. error_code::unsupported for a metadata.version that is
// newer than ours; error_code::corrupt for records that contradict each other.
result<loaded_metadata> load_metadata(const storage::services& outside, storage::log_manager& logs);

}  // namespace ringlog::metadata
