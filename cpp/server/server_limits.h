#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/limits.h"

namespace ringlog::server {

// What a server lets its clients have. Kafka's settings where it has one, by the name given.
struct server_limits {
  std::int64_t frame_bytes_max = 100 * limits::MiB;          // socket.request.max.bytes
  std::int64_t connections_max = 2'147'483'647;              // max.connections
  std::int64_t connections_per_address_max = 2'147'483'647;  // max.connections.per.ip
  static constexpr milliseconds never = std::chrono::hours(24 * 365 * 100);
  milliseconds idle_max{600'000};  // connections.max.idle.ms

  // Of all requests that are being received or are under way (queued.max.request.bytes; Kafka's
  // default of -1, no bound, means this one).
  std::int64_t request_bytes_max = 64 * limits::MiB;

  // Of a Fetch (fetch.max.bytes), and of all answers that clients have not taken yet: beyond it a
  // Fetch gets one batch.
  std::int64_t fetch_bytes_max = 55 * limits::MiB;
  std::int64_t answer_bytes_max = limits::fetch_answer_bytes_max;

  // What is remembered of clients that fetch again and again.
  std::int64_t fetch_sessions_max = 1000;  // max.incremental.fetch.session.cache.slots
  std::int64_t fetch_session_bytes_max = 64 * limits::MiB;
  milliseconds fetch_session_eviction_min{120'000};  // as in Kafka, where it is no setting
};

}  // namespace ringlog::server

namespace ringlog::limits {

// Of one connection: requests that wait or are under way, and bytes of answers that it has not
// taken; beyond either nothing more is read from it.
inline constexpr std::size_t requests_per_connection_max = 64;
inline constexpr std::int64_t unsent_answer_bytes_max = 1 * MiB;

// Of one answer: descriptions (of configs, groups, producers), of which a small request can name
// the same many times.
inline constexpr std::int64_t shown_bytes_max = 64 * MiB;

// A frame that has begun and of which nothing more comes for so long ends the connection.
inline constexpr milliseconds frame_pause_max{30'000};

// A batch that is larger is not decompressed on a network thread.
inline constexpr std::int64_t compressed_bytes_in_place_max = 64 * KiB;

// Unless num.network.threads says how many.
inline constexpr std::size_t network_threads_max = 4;

// How exactly idle connections and broken-off frames are noticed.
inline constexpr milliseconds connection_sweep_interval{1'000};

}  // namespace ringlog::limits
