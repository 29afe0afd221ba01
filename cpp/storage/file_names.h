#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/types.h"

// Names of the files and directories inside a log directory (Kafka: LogFileUtils, UnifiedLog).
namespace ringlog::storage {

namespace suffixes {
inline constexpr std::string_view log = ".log";
inline constexpr std::string_view offset_index = ".index";
inline constexpr std::string_view time_index = ".timeindex";
inline constexpr std::string_view transaction_index = ".txnindex";
inline constexpr std::string_view producer_snapshot = ".snapshot";
inline constexpr std::string_view kraft_snapshot = ".checkpoint";
inline constexpr std::string_view deleted = ".deleted";  // on files: goes at the next load
inline constexpr std::string_view cleaned = ".cleaned";  // an unfinished compaction; dropped
inline constexpr std::string_view swap = ".swap";        // a finished one; renamed at load
inline constexpr std::string_view delete_directory = "-delete";
inline constexpr std::string_view future_directory = "-future";
inline constexpr std::string_view stray_directory = "-stray";
}  // namespace suffixes

namespace file_names {
inline constexpr std::string_view lock = ".lock";
inline constexpr std::string_view meta_properties = "meta.properties";
// What meta.properties is called while we have the directory in use.
inline constexpr std::string_view set_aside_meta_properties = "meta.properties.ringlog";
inline constexpr std::string_view clean_shutdown = ".kafka_cleanshutdown";
inline constexpr std::string_view recovery_points = "recovery-point-offset-checkpoint";
inline constexpr std::string_view log_starts = "log-start-offset-checkpoint";
inline constexpr std::string_view high_watermarks = "replication-offset-checkpoint";
inline constexpr std::string_view cleaner_offsets = "cleaner-offset-checkpoint";
inline constexpr std::string_view leader_epochs = "leader-epoch-checkpoint";
inline constexpr std::string_view partition_metadata = "partition.metadata";
}  // namespace file_names

inline const topic_partition metadata_partition{"__cluster_metadata", partition_id_t(0)};

// "00000000000000000042.log"
std::string segment_file_name(offset_t base, std::string_view suffix);

// The leading 20 digits of a segment's file, index or snapshot; nothing for any other name.
std::optional<offset_t> offset_of_file(std::string_view name);

enum class directory_kind : std::uint8_t { current, deleted, future, stray };

struct directory_name {
  topic_partition name;
  directory_kind kind = directory_kind::current;
};

// "topic-0" and "topic-0.<32 hex digits>-delete"; nothing for what is no partition's directory.
std::optional<directory_name> parse_directory_name(std::string_view name);

// "topic-0.<unique>-delete"; the topic is cut so that the name stays within 255 bytes.
std::string renamed_directory(const topic_partition& name, std::string_view unique,
                              std::string_view suffix);

std::string join_path(std::string_view directory, std::string_view name);

}  // namespace ringlog::storage
