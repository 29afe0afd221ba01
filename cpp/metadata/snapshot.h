#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "model/types.h"
#include "protocol/stored/control/messages.h"
#include "protocol/stored/metadata_record.h"

// Snapshots of the metadata log (KIP-630; Kafka: RecordsSnapshotWriter). A file
// `<end offset:20>-<epoch:10>.checkpoint` of record batches:
//
//   control batch: SnapshotHeader, then KRaftVersion and KRaftVoters of a dynamic quorum (KIP-853)
//   batches of metadata records
//   control batch: SnapshotFooter
//
// A file without footer is incomplete. `bootstrap.checkpoint` has the same form.
namespace ringlog::metadata {

struct snapshot_id {
  offset_t end_offset{0};  // everything below is in the snapshot
  leader_epoch_t epoch{0};
  auto operator<=>(const snapshot_id&) const = default;

  std::string file_name() const;
  static std::optional<snapshot_id> parse(std::string_view file_name);
};

struct snapshot {
  std::int64_t last_timestamp = 0;  // of the last record in it
  std::optional<protocol::kraft_version_record> kraft_version;
  std::optional<protocol::voters_record> voters;
  std::vector<protocol::metadata_record> records;
};

// `epoch` goes into the batches, `now` is their timestamp.
result<byte_buffer> encode_snapshot(const snapshot& content, leader_epoch_t epoch,
                                    std::int64_t now);

result<snapshot> decode_snapshot(bytes_view bytes);

// Nothing when the file does not exist.
result<std::optional<snapshot>> read_snapshot(io::file_system& disk, const std::string& path);

// The newest in a directory; nothing when there is none (or no directory).
result<std::optional<snapshot_id>> find_newest_snapshot(io::file_system& disk,
                                                        const std::string& directory);

}  // namespace ringlog::metadata
