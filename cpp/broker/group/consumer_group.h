#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log_sink.h"
#include "base/random.h"
#include "broker/group/assignors.h"
#include "broker/group/consumer_group_records.h"
#include "broker/group/consumer_member.h"
#include "broker/group/group_offsets.h"
#include "broker/group/group_records.h"
#include "broker/group/group_settings.h"
#include "broker/group/metadata_lookup.h"
#include "broker/types.h"

namespace ringlog::broker {

class classic_group;

// What consumer groups are lent by the coordinator; outlives them.
struct consumer_group_services {
  const group_settings& settings;
  const clock& time;
  random_source& random;  // thread-safe
  const metadata_lookup& metadata;
  log_sink& sink;
};

// A group of the consumer protocol (KIP-848; Kafka: ConsumerGroup and the consumer half of
// GroupMetadataManager): its members, the target that an assignor made for an epoch of the group,
// and how far each member is on its way to it. Members of the classic protocol may be in it, too.
//
// It changes by its records only: a request is checked, then makes records, and each takes effect
// here at once, by the same code that reads them again after a restart. The owner takes them after
// every call, stores them in order, and gives no answer before they are durable. A request that
// fails has made none.
//
// Owned by its shard, which guards it: one call at a time.
class consumer_group {
 public:
  consumer_group(std::string id, consumer_group_services outside);

  // Takes the place of the classic group, with its members as they are. Fails with
  // group_id_not_found when those cannot go on in a consumer group.
  static result<std::unique_ptr<consumer_group>> from_classic(const classic_group& source,
                                                              consumer_group_services outside);

  // ---- requests of members

  // Joins, goes on, or leaves, by the request's epoch.
  result<consumer_heartbeat_answer> heartbeat(const consumer_heartbeat_request& request);

  // Of members that use the classic protocol.
  result<join_group_answer> join(const join_group_request& request);
  result<sync_group_answer> sync(const sync_group_request& request);
  status classic_heartbeat(const group_member_identity& from);
  std::vector<std::optional<error>> leave(const std::vector<leaving_member>& members);

  using offsets_to_commit = std::vector<std::pair<topic_partition, stored_offset>>;
  status check_commit(const group_member_identity& from, const offsets_to_commit& offsets,
                      bool knows_member_epochs) const;
  status check_fetch(const offset_fetch_request& request) const;

  // ---- time

  std::optional<monotonic_time> next_deadline() const;
  void expire();
  // After a replay: all sessions begin anew.
  void start_timers();

  // ---- records

  // What has not been taken yet, in order.
  std::vector<coordinator_record> take_records() { return std::exchange(records_, {}); }
  void apply(const group_record_key& key, std::optional<bytes_view> value);
  std::vector<coordinator_record> tombstones() const;  // members first, the group last

  // ---- state

  const std::string& id() const { return id_; }
  std::string_view state_name() const;
  std::int32_t epoch() const { return epoch_; }
  const std::map<std::string, consumer_member>& members() const { return members_; }
  bool is_empty() const { return members_.empty(); }
  bool is_subscribed_to(const std::string& topic) const;

  // Every member uses the classic protocol, and the group may become a classic one.
  bool may_become_classic() const;
  // As it is stored then; each member with the assignment that it was to have.
  protocol::group_metadata_value to_classic() const;

  described_group describe_as_classic() const;
  described_consumer_group describe() const;

 private:
  struct timers {
    std::optional<monotonic_time> session_end;
    std::optional<monotonic_time> revocation_end;  // the rebalance timeout
    std::optional<monotonic_time> join_end;        // of classic members
    std::optional<monotonic_time> sync_end;
  };

  // consumer_group.cc
  void emit(coordinator_record record);
  consumer_member& member_of_record(const std::string& member);
  void apply_member(const std::string& member, std::optional<bytes_view> value);
  void apply_assignment(const std::string& member, std::optional<bytes_view> value);
  void set_held(consumer_member& member, consumer_member next);
  void log_unreadable(const group_record_key& key, const error& why) const;
  template <typename Value>
  std::optional<Value> readable(const group_record_key& key, result<Value> parsed) const;
  std::set<std::string> topics_of(const consumer_member& member) const;
  std::string preferred_assignor() const;

  // consumer_group_heartbeat.cc
  result<consumer_heartbeat_answer> go_on(const consumer_heartbeat_request& request);
  result<consumer_heartbeat_answer> leave(const consumer_heartbeat_request& request);
  status check_room(const std::string& member) const;
  status check_epoch(const consumer_member& member,
                     const consumer_heartbeat_request& request) const;
  result<const consumer_member*> find_member(const std::string& member,
                                             const std::optional<std::string>& instance) const;
  const consumer_member* find_static(const std::optional<std::string>& instance) const;
  result<consumer_member> admit(const std::string& member,
                                const consumer_heartbeat_request& request) const;
  void replace(const std::string& old_id, const consumer_member& member);
  const consumer_member& advance(const consumer_member& before, const consumer_member& after,
                                 const std::optional<partitions_by_topic>& owned);
  void remove(const std::set<std::string>& members);
  void drop_unused_expressions();

  // consumer_group_target.cc
  bool resolve_expressions();
  void raise_epoch_if(bool changed);
  std::int64_t metadata_hash() const;
  std::int64_t config_ms(const std::string& name, std::int64_t otherwise) const;
  void make_target();
  assignor_input assignor_input_now() const;
  void reconcile_member(const std::string& member, bool subscription_changed,
                        const std::optional<partitions_by_topic>& owned);

  // consumer_group_classic.cc
  status check_protocols(const join_group_request& request) const;
  status check_classic(const group_member_identity& from) const;
  result<consumer_member> admit_classic(const std::string& member,
                                        const join_group_request& request) const;
  bool waits_for_others(const consumer_member& member) const;
  void expect_join(const consumer_member& member);
  std::string classic_protocol() const;
  result<std::string> find_leaving(const leaving_member& leaving) const;

  monotonic_time after_ms(std::int64_t distance_ms) const;

  const std::string id_;
  const consumer_group_services outside_;

  // As the records say.
  std::int32_t epoch_ = 0;
  std::int64_t metadata_hash_ = 0;
  stored_consumer_target target_;
  std::map<std::string, consumer_member> members_;
  std::map<std::string, partitions_by_topic> targets_;  // by member
  std::map<std::string, resolved_expression> expressions_;
  bool has_topics_record_ = false;  // of Kafka 4.0
  // Derived from them.
  std::map<std::string, std::string> static_members_;            // instance -> member
  std::map<std::pair<uuid, std::int32_t>, std::string> owners_;  // of partitions

  std::map<std::string, timers> timers_;  // by member
  std::uint64_t hashed_version_ = 0;      // of the metadata that metadata_hash_ is known to fit
  std::uint64_t resolved_version_ = 0;    // that expressions_ are known to fit
  monotonic_time resolved_at_;
  std::vector<coordinator_record> records_;
};

}  // namespace ringlog::broker
