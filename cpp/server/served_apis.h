#pragma once

#include <span>

#include "server/call.h"

namespace ringlog::server {

// The APIs that are served, by key, in their order: what ApiVersions lists.
std::span<const protocol::api_info* const> served_apis();

enum class begun { here, aside };

// Hands a request to the handler of its API: here, or, where that may block, aside; the connection
// is told when that is done. Fails when it cannot be one that we serve: an unknown
// key, a version that is not advertised, bytes that are no such request. Only ApiVersions is
// answered in every version (KIP-511).
result<begun> begin_call(call_origin origin);

// By the first bytes of its header.
bool is_produce_frame(bytes_view frame);

// What ApiVersions says of the API: Kafka's versions. Those of clients' telemetry (KIP-714) are
// offered, as by Kafka, while somebody receives it. Empty: it is not offered.
struct version_range {
  std::int16_t lowest = 0;
  std::int16_t highest = -1;
  bool is_empty() const { return highest < lowest; }
};
version_range offered_versions(const protocol::api_info& api, const shared_state& shared);

}  // namespace ringlog::server
