#pragma once

#include <cstdint>
#include <vector>

#include "metadata/image.h"
#include "protocol/stored/metadata_record.h"

namespace ringlog::metadata {

// The newest version of each record that a cluster of a metadata.version can read
// (Kafka: MetadataVersion).
struct record_versions {
  std::int16_t register_broker = 0;
  std::int16_t partition = 0;
  std::int16_t partition_change = 0;

  static record_versions of(std::int16_t metadata_version);
};

inline constexpr std::string_view metadata_version_feature = "metadata.version";
inline constexpr std::int16_t metadata_version_max = 30;  // 4.3-IV0

// Records that make the image from nothing, as a snapshot holds them (Kafka: MetadataImage.write).
std::vector<protocol::metadata_record> records_of(const image& source);

protocol::partition_record record_of(const uuid& topic_id, partition_id_t partition,
                                     const partition_state& state);

}  // namespace ringlog::metadata
