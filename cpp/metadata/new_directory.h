#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "io/file.h"
#include "metadata/snapshot.h"
#include "model/types.h"
#include "protocol/stored/metadata_record.h"

// What a log directory gets that has no metadata yet, as `kafka-storage format` and the first start
// of Kafka leave it.
namespace ringlog::metadata {

// `bootstrap.checkpoint` if the directory has one (kafka-storage wrote it), else the features that
// we finalise: metadata.version and group.version.
result<std::vector<protocol::metadata_record>> bootstrap_records(io::file_system& disk,
                                                                 const std::string& log_directory);

// Writes bootstrap.checkpoint with the records, and as the first snapshot of the metadata log that
// kraft.version is 1 and that this node is the only voter. With both, Kafka starts with
// controller.quorum.voters as well as with controller.quorum.bootstrap.servers; it replaces the
// endpoint by its own. Answers the snapshot. bootstrap.checkpoint comes last: where it is, the
// directory is complete.
result<snapshot> write_first_files(io::file_system& disk, const std::string& log_directory,
                                   node_id_t node, const uuid& directory_id,
                                   const std::vector<protocol::metadata_record>& records,
                                   std::int64_t now);

// The registration of this node, fenced: nothing sends heartbeats for it (see controller::open).
protocol::register_broker_record registration_of(node_id_t node, const uuid& directory_id,
                                                 const uuid& incarnation_id, offset_t broker_epoch);

}  // namespace ringlog::metadata
