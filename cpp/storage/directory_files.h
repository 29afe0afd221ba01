#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "storage/log_manager.h"

// The small files that say whose a directory is and how it was left.
namespace ringlog::storage {

// meta.properties (Kafka: MetaProperties, version 1), Java's properties syntax. Nothing when the
// file is missing; error_code::unsupported for a version that we do not know.
result<std::optional<directory_identity>> read_meta_properties(io::file_system& disk,
                                                               const std::string& path);
status write_meta_properties(io::file_system& disk, const std::string& path,
                             const directory_identity& identity);

// .kafka_cleanshutdown (CleanShutdownFileHandler): its presence says that nothing needs recovery.
// The broker epoch in it, -1 when its content tells none; nothing when the file is missing.
result<std::optional<std::int64_t>> read_clean_shutdown(io::file_system& disk,
                                                        const std::string& path);
status write_clean_shutdown(io::file_system& disk, const std::string& path,
                            std::int64_t broker_epoch);

// partition.metadata (PartitionMetadataFile): the topic id. Nothing when the file is missing.
result<std::optional<uuid>> read_partition_metadata(io::file_system& disk, const std::string& path);
// Not synced; a torn one is written again at the next open.
status write_partition_metadata(io::file_system& disk, const std::string& path,
                                const uuid& topic_id);

}  // namespace ringlog::storage
