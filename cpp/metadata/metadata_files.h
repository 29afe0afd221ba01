#pragma once

#include <string>

// Names of the files around the metadata log, which lie in a Kafka log directory.
namespace ringlog::metadata {

inline std::string metadata_directory(const std::string& log_directory) {
  return log_directory + "/__cluster_metadata-0";
}
inline std::string quorum_state_path(const std::string& log_directory) {
  return metadata_directory(log_directory) + "/quorum-state";
}
inline std::string bootstrap_path(const std::string& log_directory) {
  return log_directory + "/bootstrap.checkpoint";
}

}  // namespace ringlog::metadata
