#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/types.h"

namespace ringlog::client {

enum class offset_reset : std::uint8_t { earliest, latest, none };

// A consumer's settings under kafka-python's names and with its 3.x defaults; milliseconds, bytes.
struct consumer_options {
  std::string client_id = "ringlog";
  std::optional<std::string> group_id;  // none: no group, no commits
  std::optional<std::string> group_instance_id;
  offset_reset auto_offset_reset = offset_reset::latest;
  bool enable_auto_commit = true;
  std::int64_t auto_commit_interval_ms = 5'000;
  std::int64_t fetch_max_wait_ms = 500;
  std::int64_t fetch_min_bytes = 1;
  std::int64_t fetch_max_bytes = 52'428'800;
  std::int64_t max_partition_fetch_bytes = 1'048'576;
  std::int64_t max_poll_interval_ms = 300'000;
  std::int64_t session_timeout_ms = 45'000;
  std::int64_t heartbeat_interval_ms = 3'000;
  std::int64_t default_api_timeout_ms = 60'000;
  std::int64_t retry_backoff_ms = 100;
  bool check_crcs = true;
  isolation_level isolation = isolation_level::read_uncommitted;
  bool allow_auto_create_topics = true;
  std::vector<std::string> assignors = {"range", "roundrobin"};  // in order of preference
};

}  // namespace ringlog::client
