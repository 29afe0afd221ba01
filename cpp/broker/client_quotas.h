#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/hash_map.h"
#include "broker/quota_types.h"
#include "broker/usage_rate.h"
#include "metadata/image.h"
#include "model/config_def.h"

namespace ringlog::broker {

// What clients may use, and what they have used (Kafka: ClientQuotaManager,
// ClientRequestQuotaManager). For a client the first of these that is set applies: its user and
// its id, its user and any id, its user, any user and its id, any user and any id, any user, its
// id, any id. Those of a name and of a default are kept apart for each user, or user and id, that
// comes.
//
// Where nothing is set, asking costs one look at a flag. Any thread.
class client_quotas {
 public:
  // Of the broker: quota.window.num and quota.window.size.seconds.
  client_quotas(const clock& time, const model::config_values& settings);

  void take_over(const metadata::image& image);

  bool has_any(quota_kind kind) const { return has_any_[static_cast<std::size_t>(kind)]; }

  // The client has used so much (bytes; of busy_time, seconds). For how long it has to pause, so
  // that it is back at what it may use; 0: not at all.
  milliseconds charge(quota_kind kind, const client_identity& who, double amount);

  // It has not used it after all.
  void refund(quota_kind kind, const client_identity& who, double amount);

  // More at once would make any client pause.
  double most_at_once(quota_kind kind, const client_identity& who) const;

 private:
  struct rule {
    double per_second;
    std::string counted_as;  // for whom the use is added up
  };
  std::optional<rule> find(quota_kind kind, const client_identity& who) const;
  usage_rate& usage_of(const std::string& counted_as, milliseconds now);
  milliseconds now() const;

  const clock& time_;
  const std::size_t windows_;
  const milliseconds window_;
  std::array<std::atomic<bool>, 3> has_any_{};
  mutable std::mutex mutex_;                             // guards what follows
  std::array<hash_map<std::string, double>, 3> bounds_;  // by kind and entity
  hash_map<std::string, usage_rate> usages_;             // by `counted_as`
};

}  // namespace ringlog::broker

namespace ringlog::limits {

// Of how many clients the use is remembered. Beyond it those go that have been idle for all
// windows, or else all.
inline constexpr std::size_t counted_clients_max = 50'000;

// A client that has used far too much pauses for at most so long (an hour).
inline constexpr std::int64_t client_pause_ms_max = 3'600'000;

}  // namespace ringlog::limits
