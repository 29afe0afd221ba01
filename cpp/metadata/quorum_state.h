#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/file.h"
#include "model/types.h"

namespace ringlog::metadata {

// The file `quorum-state` of the metadata log: one line of JSON (Kafka: FileQuorumStateStore,
// QuorumStateData). data_version 0 belongs to static voters, 1 to dynamic ones (KIP-853).
struct quorum_state {
  node_id_t leader{-1};
  leader_epoch_t epoch{0};
  std::int32_t data_version = 1;

  std::string to_json() const;
  static result<quorum_state> parse(std::string_view json);
};

// Nothing when the file does not exist.
result<std::optional<quorum_state>> read_quorum_state(io::file_system& disk,
                                                      const std::string& path);

}  // namespace ringlog::metadata
