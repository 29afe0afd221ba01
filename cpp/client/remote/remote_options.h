#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/socket_address.h"

namespace ringlog::client::remote {

class log_owner;

// A network client's settings under kafka-python's names and with its 3.x defaults; milliseconds,
// bytes. 0 for a buffer: the system's.
struct remote_options {
  std::vector<io::host_port> bootstrap_servers;
  std::string client_id = "ringlog";
  std::int64_t request_timeout_ms = 30'000;
  std::int64_t default_api_timeout_ms = 60'000;
  std::int64_t retry_backoff_ms = 100;
  std::int64_t reconnect_backoff_ms = 50;
  std::int64_t reconnect_backoff_max_ms = 30'000;
  std::int64_t metadata_max_age_ms = 300'000;
  std::int64_t connections_max_idle_ms = 540'000;
  std::int64_t socket_connection_setup_timeout_ms = 10'000;
  std::int64_t receive_message_max_bytes = 100'000'000;
  std::int64_t max_request_size = 1'048'576;  // of Produce, unless one batch alone is larger
  std::int32_t max_in_flight_requests_per_connection = 5;  // of Produce
  std::int32_t send_buffer_bytes = 0;
  std::int32_t receive_buffer_bytes = 0;
  bool enable_incremental_fetch_sessions = true;
  // Of a log that another process of this machine has open: then every broker is that process,
  // behind its socket, whatever host it names.
  std::shared_ptr<log_owner> owner;
};

}  // namespace ringlog::client::remote
