#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/log_sink.h"
#include "broker/coordinator_log.h"
#include "broker/group/classic_group.h"
#include "broker/group/consumer_group.h"
#include "broker/group/group_offsets.h"
#include "broker/group/kept_group.h"

namespace ringlog::broker {

// What a shard is lent; all outlive it.
struct shard_services {
  const group_settings& settings;
  const clock& time;
  random_source& random;  // thread-safe
  executor& engine;
  log_sink& sink;
  const metadata_lookup& metadata;
};

// The groups whose records stand in one partition of __consumer_offsets (Kafka:
// GroupCoordinatorShard). Loaded by replaying it; later every change is appended there first and
// counts once it is durable.
//
// Owned by the coordinator. Any thread may call; one mutex guards all groups of the shard, since
// transaction markers, expiry and deleted topics concern many groups at once. It is held for work
// in memory and for handing records to the log, never while a reply is called. Replies are called
// inside the call or on the engine's thread.
class group_shard : public std::enable_shared_from_this<group_shard>, private coordinator_replay {
 public:
  group_shard(std::shared_ptr<coordinator_log> log, shard_services outside);
  ~group_shard() override;

  // Runs `action` when the partition is loaded, or with the reason why it cannot be; always inside
  // a call of the shard, so that it need not keep the shard alive. The first call loads it.
  void when_loaded(callback<void(status)> action);

  // Answers every parked request with `why` and forgets all groups. The shard is not used again.
  void unload(const error& why);

  // All that follows is for a loaded shard.

  void consumer_heartbeat(consumer_heartbeat_request request,
                          reply<consumer_heartbeat_answer> done);
  void join(join_group_request request, reply<join_group_answer> done);
  void sync(sync_group_request request, reply<sync_group_answer> done);
  status heartbeat(const group_member_identity& from);
  void leave(const std::string& group, const std::vector<leaving_member>& members,
             reply<std::vector<std::optional<error>>> done);

  using offsets_to_commit = std::vector<std::pair<topic_partition, stored_offset>>;
  void commit(const group_member_identity& from, offsets_to_commit offsets,
              callback<void(status)> done, bool knows_member_epochs = true);
  result<fetched_offsets> fetch_offsets(const offset_fetch_request& request);
  void delete_offsets(const std::string& group, const std::vector<topic_partition>& partitions,
                      reply<partition_failures> done);

  std::vector<listed_group> list();
  result<described_group> describe(const std::string& group);
  result<described_consumer_group> describe_consumer(const std::string& group);
  void delete_group(const std::string& group, callback<void(status)> done);

  // Appends tombstones for offsets whose topic is gone; with cleaning::all, which runs by itself
  // every retention_check_interval_ms, also for those whose time is over and for groups of which
  // nothing is left.
  enum class cleaning { deleted_topics, all };
  void clean_up(cleaning what);

 private:
  using stored_callbacks = std::vector<callback<void(const status&)>>;

  // At most one of the three kinds.
  struct group_entry {
    std::optional<classic_group> classic;
    std::unique_ptr<consumer_group> consumer;
    // What waits for the last append of the consumer group's records; null when none is under way.
    std::shared_ptr<stored_callbacks> under_way;
    std::optional<kept_group> kept;
    group_offsets offsets;
    bool deleting = false;  // its tombstone is on the way
    executor::timer_id timer = 0;
    std::optional<monotonic_time> timer_at;

    bool has_no_protocol() const { return !classic && !consumer && !kept; }
    bool is_nothing() const { return has_no_protocol() && offsets.partitions().empty(); }
    bool has_members() const {
      return (classic && !classic->is_empty()) || (consumer && !consumer->is_empty());
    }
  };
  using answers = std::vector<task>;

  // coordinator_replay
  void on_record(offset_t offset, producer_id_t producer, bytes_view key,
                 std::optional<bytes_view> value) override;
  void on_transaction_end(producer_id_t producer, bool committed) override;

  // The mutex is held in all that follows, until `run` gives the answers.
  void apply(offset_t offset, producer_id_t producer, const group_record_key& key,
             bytes_view raw_key, std::optional<bytes_view> value);
  void apply_offset(offset_t offset, producer_id_t producer, const group_record_key& key,
                    std::optional<bytes_view> value);
  void apply_group(const group_record_key& key, std::optional<bytes_view> value);
  void apply_consumer(const group_record_key& key, std::optional<bytes_view> value);
  void apply_kept(kept_group_type type, const group_record_key& key, bytes_view raw_key,
                  std::optional<bytes_view> value);
  void finish_loading(const status& loaded);
  group_entry* find(const std::string& group);
  result<group_entry*> find_member_group(const std::string& group);
  status make_classic(const join_group_request& request);
  bool kept_members_alive(const group_entry& entry) const;
  group_services for_groups() const;
  consumer_group_services for_consumer_groups() const;
  void forget_groups(const error& why, answers& to_run);

  // group_shard_consumer.cc
  group_entry* find_consumer(const std::string& group);
  result<std::unique_ptr<consumer_group>> make_consumer(const consumer_heartbeat_request& request);
  void install(const std::string& id, std::unique_ptr<consumer_group> made, answers& to_run);
  template <typename T>
  void settle(const std::string& id, group_entry& entry, reply<T> done, result<T> answer,
              answers& to_run);
  void store_consumer(const std::string& id, group_entry& entry, bool rebalances_classic,
                      callback<void(const status&)> after, answers& to_run);
  void become_classic(const std::string& id, group_entry& entry, bool rebalances,
                      std::vector<coordinator_record>& records, answers& to_run);
  void consumer_stored(const std::string& id, std::uint64_t load, const status& outcome,
                       const std::shared_ptr<stored_callbacks>& waiting, answers& to_run);

  void finish(const std::string& id, group_entry& entry, group_outcome outcome, answers& to_run);
  void stored(const std::string& id, const status& outcome,
              callback<void(classic_group&, const status&, group_outcome&)> after);
  void arm(const std::string& id, group_entry& entry);
  void on_timer(const std::string& id);
  void append_and_apply(std::vector<coordinator_record> records, callback<void(status)> done);
  void apply_appended(offset_t base, const std::vector<coordinator_record>& records);
  bool is_expired(const group_entry& entry, const topic_partition& tp,
                  const stored_offset& offset) const;
  bool is_gone(const topic_partition& tp, const stored_offset& offset) const;
  std::vector<coordinator_record> expired_records(cleaning what);
  void schedule_clean_up();
  static void run(answers& to_run);

  const std::shared_ptr<coordinator_log> log_;
  const shard_services outside_;

  std::mutex mutex_;
  enum class load_state { not_loaded, loading, loaded, failed, unloaded } state_{};
  std::optional<error> failure_;
  std::vector<callback<void(status)>> load_waiters_;
  std::uint64_t load_ = 0;  // how many times it was loaded
  std::map<std::string, group_entry> groups_;
  std::map<producer_id_t, std::set<std::string>> open_transactions_;  // groups with pending offsets
  monotonic_time loaded_at_;
  executor::timer_id clean_up_timer_ = 0;
};

}  // namespace ringlog::broker
