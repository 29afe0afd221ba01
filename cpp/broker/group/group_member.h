#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "broker/types.h"

namespace ringlog::broker {

// One member of a classic group and the request of it that is parked, if any (Kafka:
// ClassicGroupMember). Owned by its group and guarded with it.
struct group_member {
  std::string id;
  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  std::int64_t session_timeout_ms = 0;
  std::int64_t rebalance_timeout_ms = 0;
  std::vector<join_protocol> protocols;  // in order of preference
  byte_buffer assignment;

  bool is_new = false;        // has not completed a rebalance yet
  bool sync_pending = false;  // has not asked for its assignment in this generation
  monotonic_time session_end;
  reply<join_group_answer> join_waiter;
  reply<sync_group_answer> sync_waiter;

  bool awaits_join() const { return static_cast<bool>(join_waiter); }
  bool awaits_sync() const { return static_cast<bool>(sync_waiter); }

  // A parked member cannot send heartbeats: it is alive while its request is. New members are the
  // exception, since nobody would notice that their client has gone.
  bool can_expire() const { return is_new || (!awaits_join() && !awaits_sync()); }

  const join_protocol* find_protocol(std::string_view name) const {
    const auto found = std::find_if(protocols.begin(), protocols.end(),
                                    [&](const join_protocol& p) { return p.name == name; });
    return found == protocols.end() ? nullptr : &*found;
  }

  bool has_protocols(const std::vector<join_protocol>& others) const {
    return std::equal(protocols.begin(), protocols.end(), others.begin(), others.end(),
                      [](const join_protocol& left, const join_protocol& right) {
                        return left.name == right.name && left.metadata == right.metadata;
                      });
  }
};

}  // namespace ringlog::broker
