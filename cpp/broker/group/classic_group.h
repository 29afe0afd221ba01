#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "broker/group/group_member.h"
#include "broker/group/group_outcome.h"
#include "broker/group/group_settings.h"
#include "broker/types.h"

namespace ringlog::broker {

enum class group_state : std::uint8_t {
  empty,                 // no members; committed offsets may remain
  preparing_rebalance,   // waiting for members to (re)join
  completing_rebalance,  // waiting for the leader's assignment
  stable,                // every member has its assignment
  dead,                  // deleted or unloaded; nothing brings it back
};

std::string_view name_of(group_state state);  // as Kafka's ListGroups writes it

// What the members of classic groups are lent by the coordinator; outlives them.
struct group_services {
  const group_settings& settings;
  const clock& time;
  random_source& random;  // thread-safe
};

// A group of the classic protocol (KIP-62, static members KIP-345, member ids KIP-394; Kafka:
// ClassicGroup and the classic half of GroupMetadataManager): who is in it, the generation, and
// the rebalance that leads to the next one. Knows neither log nor threads: time comes by expire(),
// everything to be done outside goes into a group_outcome.
//
// Owned by its shard, which guards it: one call at a time.
class classic_group {
 public:
  classic_group(std::string id, group_services outside);

  // The group as its last record says; members get a fresh session.
  classic_group(std::string id, const protocol::group_metadata_value& stored,
                group_services outside);

  // Right after it was made of a consumer group: what its members support, which no record says.
  // They keep their assignments or, when the group rebalances, are told to join again.
  void take_over(std::map<std::string, std::vector<join_protocol>> protocols, bool rebalances,
                 group_outcome& outcome);

  // ---- requests of members

  void join(join_group_request request, reply<join_group_answer> done, group_outcome& outcome);
  void sync(sync_group_request request, reply<sync_group_answer> done, group_outcome& outcome);
  status heartbeat(const group_member_identity& from);
  std::vector<std::optional<error>> leave(const std::vector<leaving_member>& members,
                                          group_outcome& outcome);

  // Whether `from` may commit offsets now; a member's session starts again.
  status accept_commit(const group_member_identity& from);

  // ---- time

  // When expire() has something to do at the earliest.
  std::optional<monotonic_time> next_deadline() const;

  // Ends what is over: initial delay, join phase, sync phase, sessions.
  void expire(group_outcome& outcome);

  // ---- the end

  // Answers every parked request with `why`.
  void die(const error& why, group_outcome& outcome);

  // ---- state

  const std::string& id() const { return id_; }
  group_state state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  std::string protocol_type() const { return protocol_type_.value_or(""); }
  bool has_protocol_type() const { return protocol_type_.has_value(); }
  const std::optional<std::string>& protocol() const { return protocol_; }
  const std::optional<std::string>& leader() const { return leader_; }
  const std::map<std::string, group_member>& members() const { return members_; }
  std::int64_t state_timestamp() const { return state_timestamp_; }  // -1: not known

  // Who was given an id and asked to come back with it is no member yet, as in Kafka.
  bool is_empty() const { return state_ == group_state::empty; }
  bool uses_consumer_protocol() const { return protocol_type_ == "consumer"; }
  bool is_subscribed_to(const std::string& topic) const;
  // True when the topics of all members are known (their metadata could be read).
  bool knows_topics() const { return topics_.has_value(); }

  protocol::group_metadata_value to_stored() const;

 private:
  using assignment_map = std::map<std::string, byte_buffer>;

  // classic_group_join.cc
  bool has_room_for(const std::string& member) const;
  bool supports(const std::string& protocol_type,
                const std::vector<join_protocol>& protocols) const;
  void join_new(join_group_request request, reply<join_group_answer> done, group_outcome& outcome);
  void join_known(join_group_request request, reply<join_group_answer> done,
                  group_outcome& outcome);
  void add_member(join_group_request request, std::string member, reply<join_group_answer> done,
                  group_outcome& outcome);
  void update_member(group_member& member, join_group_request request,
                     reply<join_group_answer> done);
  void replace_static_member(join_group_request request, const std::string& old_id,
                             std::string new_id, reply<join_group_answer> done,
                             group_outcome& outcome);
  void store_replaced_member(const std::string& member, group_outcome& outcome);
  join_group_answer current_generation_for(const group_member& member) const;

  // classic_group_rebalance.cc
  bool can_rebalance() const;
  bool all_joined() const;
  void rebalance_or_complete_join(group_outcome& outcome);
  void after_removal(bool members_changed, group_outcome& outcome);
  void prepare_rebalance(group_outcome& outcome);
  void complete_join_if_all_joined(group_outcome& outcome);
  void complete_join(group_outcome& outcome);
  void extend_or_complete_initial_delay(group_outcome& outcome);
  bool elect_joined_leader();
  void start_next_generation(group_outcome& outcome);
  void store_assignments(assignment_map assignments, group_outcome& outcome);
  void finish_sync(std::int32_t generation, assignment_map& assignments, const status& stored,
                   group_outcome& outcome);
  void fail_syncs(const error& why, group_outcome& outcome);
  void expire_sync(group_outcome& outcome);
  std::string select_protocol() const;

  // classic_group.cc
  status check_member(const std::string& member, const std::optional<std::string>& instance) const;
  status check_generation(std::int32_t generation) const;
  group_member& member(const std::string& id);
  std::int64_t rebalance_timeout_ms() const;
  bool remove(const std::string& member, group_outcome& outcome);
  void touch(group_member& member) { touch(member, member.session_timeout_ms); }
  void touch(group_member& member, std::int64_t timeout_ms);
  monotonic_time after_ms(std::int64_t distance_ms) const;
  void move_to(group_state state);
  void refresh_topics();
  void synced(group_member& member);

  const std::string id_;
  const group_services outside_;

  group_state state_ = group_state::empty;
  group_state previous_state_ = group_state::dead;
  std::int64_t state_timestamp_ = -1;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_type_;
  std::optional<std::string> protocol_;
  std::optional<std::string> leader_;
  std::optional<std::set<std::string>> topics_;  // subscribed to, of the consumer protocol

  std::map<std::string, group_member> members_;
  std::map<std::string, std::string> static_members_;    // instance -> member
  std::map<std::string, monotonic_time> pending_joins_;  // ids given out (KIP-394), until when

  std::optional<monotonic_time> join_deadline_;
  std::optional<monotonic_time> sync_deadline_;
  std::int64_t initial_delay_left_ms_ = 0;
  bool initial_delay_ = false;     // join_deadline_ ends the initial delay
  bool new_member_added_ = false;  // during the initial delay
};

}  // namespace ringlog::broker
