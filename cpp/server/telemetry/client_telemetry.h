#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/compression_type.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/uuid.h"
#include "broker/broker.h"
#include "model/kafka_error.h"
#include "server/telemetry/otlp_metrics.h"

namespace ringlog::server {

// What clients measure of themselves and push (KIP-714; Kafka: ClientMetricsManager). Which metrics
// are wanted of which clients, and how often, stands in configs of the resource client_metrics.
// It is taken when somebody can read it: while there is an HTTP endpoint.
//
// Clients that have not been heard of for three of their intervals are forgotten. Any thread; a
// push is decompressed by the caller's.
class client_telemetry {
 public:
  client_telemetry(const clock& time, random_source& random) : time_(time), random_(random) {}

  void turn_on() { is_on_ = true; }
  bool is_on() const { return is_on_; }

  // Who asks, by what its subscription is chosen (KIP-714, "match").
  struct description {
    std::string client_id;
    std::string address;  // numeric
  };

  struct subscription {
    uuid client;
    std::int32_t id = 0;
    milliseconds interval{0};
    std::vector<std::string> metrics;  // beginnings of names; an empty one: all
  };

  // A client without an id is given one. None: it asks too early.
  std::optional<subscription> subscribe(broker::broker& core, const uuid& client,
                                        const description& who);

  struct push {
    uuid client;
    std::int32_t subscription_id = 0;
    bool is_last = false;
    compression_type compression = compression_type::none;
    bytes_view metrics;
  };
  model::kafka_error take(broker::broker& core, const push& pushed, const description& who);

  // What clients pushed last; where they push what was added, its sum.
  struct measured {
    uuid client;
    std::string client_id;
    std::vector<client_sample> samples;  // by name and labels
  };
  std::vector<measured> all();

 private:
  using labels = std::vector<std::pair<std::string, std::string>>;

  struct instance {
    subscription subscribed;
    std::string client_id;
    monotonic_time last_heard;
    std::optional<monotonic_time> last_asked;
    std::optional<monotonic_time> last_pushed;
    bool is_terminating = false;
    std::map<std::pair<std::string, labels>, double> values;
    std::size_t bytes = 0;  // of their names and labels
  };

  // With the mutex held.
  instance* find_or_make(broker::broker& core, const uuid& client, const description& who);
  void forget_silent();
  model::kafka_error check(broker::broker& core, const push& pushed, const description& who);
  void keep(instance& of, std::vector<client_sample> samples);

  const clock& time_;
  random_source& random_;
  std::atomic<bool> is_on_ = false;
  std::mutex mutex_;  // guards what follows
  std::map<uuid, instance> instances_;
  std::size_t bytes_ = 0;  // of all
};

}  // namespace ringlog::server

namespace ringlog::limits {

inline constexpr std::size_t telemetry_clients_max = 1'000;
inline constexpr std::int32_t telemetry_bytes_max = 1 * MiB;  // of one push, as it is sent
inline constexpr std::size_t unpacked_telemetry_bytes_max = 8 * MiB;
inline constexpr std::size_t kept_telemetry_bytes_max = 16 * MiB;  // beyond it nothing is added

}  // namespace ringlog::limits
