#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/uuid.h"
#include "metadata/image.h"
#include "model/types.h"
#include "protocol/stored/metadata_record.h"
#include "storage/log_manager.h"
#include "storage/services.h"

namespace ringlog::metadata {

struct metadata_log_options {
  node_id_t node{1};
  std::string cluster_id;
  uuid directory_id;
  // Bytes of log behind the last snapshot from which on an open writes the next one
  // (Kafka: metadata.log.max.record.bytes.between.snapshots).
  std::int64_t bytes_between_snapshots = 20 * 1024 * 1024;
  // So many behind the last snapshot are worth a new one at the end, for the next open's sake.
  std::int64_t bytes_at_end_max = 64 * 1024;
};

// The metadata log of a KRaft quorum of one, `__cluster_metadata-0` (KIP-595, KIP-630, KIP-631):
// what was appended and is durable is committed. One writer appends (the controller, under its
// lock); any thread reads published(). Made and owned by the controller; the log_manager outlives
// it.
//
// open() reads the newest snapshot and the log behind it, then begins a new epoch: `quorum-state`
// is written, and a LeaderChange control batch appended, with the epoch one above all before. A
// directory without metadata first gets the files that make Kafka start on it with static voters
// and with bootstrap servers: bootstrap.checkpoint and a first snapshot that names this node as the
// voter.
class metadata_log {
 public:
  static result<std::unique_ptr<metadata_log>> open(storage::services outside,
                                                    storage::log_manager& logs,
                                                    metadata_log_options options);
  ~metadata_log();

  // Everything durable. Any thread.
  image_ptr published() const;

  // ---- for the one writer

  // Everything appended, durable or not: what the next records are decided upon.
  image_ptr appended() const;

  // Appends the records, which take effect together or not at all; `done` runs on the engine's
  // thread when the image that they make is published, or with the reason why it never will be.
  // Failures of the call itself (nothing was appended, `done` never runs): storage's and
  // error_code::internal for records that contradict the image.
  status append(std::vector<protocol::metadata_record> records,
                callback<void(result<image_ptr>)> done);

  // Runs `done` once all that is appended now is published.
  void when_published(callback<void(result<image_ptr>)> done);

  // The epoch of the metadata log that this open began.
  leader_epoch_t epoch() const;

  // ---- listening, snapshots

  // Called on the engine's thread after each publication, in order, before the `done` of the
  // appends in it. One listener; an empty one removes it.
  void set_listener(callback<void(const image_ptr& before, const image_ptr& after)> listener);

  // Writes a snapshot of the published image; older ones go. Blocks for the writing.
  status write_snapshot();

  // The same when the log behind the last one is long.
  status write_due_snapshot();

 private:
  struct state;
  explicit metadata_log(std::shared_ptr<state> opened);
  std::shared_ptr<state> state_;
};

}  // namespace ringlog::metadata
