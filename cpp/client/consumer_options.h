#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/types.h"

namespace ringlog::client {

// How a group agrees on who reads what: the members among themselves by one who leads them, or the
// coordinator by itself (KIP-848).
enum class group_protocol : std::uint8_t { classic, consumer };

enum class offset_reset : std::uint8_t { earliest, latest, none };

// A consumer's settings under kafka-python's names and with its 3.x defaults; milliseconds, bytes.
struct consumer_options {
  std::string client_id = "ringlog";
  std::optional<std::string> group_id;  // none: no group, no commits
  std::optional<std::string> group_instance_id;
  group_protocol protocol = group_protocol::classic;
  offset_reset auto_offset_reset = offset_reset::latest;
  bool enable_auto_commit = true;
  std::int64_t auto_commit_interval_ms = 5'000;
  std::int64_t fetch_max_wait_ms = 500;
  std::int64_t fetch_min_bytes = 1;
  std::int64_t fetch_max_bytes = 52'428'800;
  std::int64_t max_partition_fetch_bytes = 1'048'576;
  std::int64_t max_poll_interval_ms = 300'000;
  std::int64_t session_timeout_ms = 45'000;    // classic protocol; else the broker's
  std::int64_t heartbeat_interval_ms = 3'000;  // likewise
  std::int64_t default_api_timeout_ms = 60'000;
  std::int64_t retry_backoff_ms = 100;
  bool check_crcs = true;
  isolation_level isolation = isolation_level::read_uncommitted;
  bool allow_auto_create_topics = true;
  // Classic protocol: in order of preference.
  std::vector<std::string> assignors = {"range", "roundrobin"};
  std::optional<std::string> remote_assignor;  // consumer protocol; none: the broker's choice
};

}  // namespace ringlog::client
