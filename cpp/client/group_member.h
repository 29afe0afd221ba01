#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/assignors.h"
#include "client/consumer_options.h"
#include "client/transport.h"
#include "client/wait.h"

namespace ringlog::client {

// A consumer's place in its group, by the classic group protocol with eager rebalancing
// (Kafka: AbstractCoordinator, ConsumerCoordinator). The consumer's thread starts a join after it
// gave up its partitions; join, assignment (when leader) and sync then go on by themselves on the
// engine's thread, which also beats the heart: a caller that is busy for long loses nothing until
// max_poll_interval_ms. Owned by one consumer through a shared_ptr, because replies may come after
// it let go. Methods are for the consumer's thread unless said otherwise.
class group_member : public std::enable_shared_from_this<group_member> {
 public:
  // What changed; `changed` is called on the engine's thread, or inside start_join and leave.
  group_member(std::shared_ptr<transport> over, const consumer_options& options,
               std::function<void()> changed);

  // Sends the subscription into the group. The assignment, or the failure, is there when
  // take_outcome says so. Nothing happens while a join is under way; the topics are then used for
  // the next one, which `needs_join` asks for.
  void start_join(std::vector<std::string> topics);

  struct outcome {
    std::vector<topic_partition> assigned;
  };
  // The end of a join, once: the new assignment, or what no retry mends.
  std::optional<result<outcome>> take_outcome();

  // True at first, after a rebalance began, and after this member was thrown out. Any thread.
  bool needs_join() const { return needs_join_.load(std::memory_order_acquire); }

  // True when the partitions held so far are another member's by now (session or poll interval
  // over, unknown member): they are lost, not revoked. Reset by start_join. Any thread.
  bool lost() const { return lost_.load(std::memory_order_acquire); }

  void request_rejoin() { mark_rejoin(false); }

  // Tells that the caller works: call at every poll. Cheap.
  void touch() { activity_.fetch_add(1, std::memory_order_relaxed); }

  // The identity to commit with; generation -1 while not a member. Any thread.
  broker::group_member_identity identity() const;

  // Leaves the group (static members stay until their session ends, as KIP-345 has it) and stops
  // the heartbeat. `done` is called when the coordinator knows.
  void leave(callback<void()> done);

 private:
  enum class phase : std::uint8_t { out, joining, syncing, stable };

  void send_join(std::uint64_t attempt);
  void on_joined(std::uint64_t attempt, result<broker::join_group_answer> answer);
  void lead(std::uint64_t attempt, const broker::join_group_answer& joined);
  void watch(const std::set<std::string>& topics, const partition_counts& counts,
             std::uint64_t version);
  void send_sync(std::uint64_t attempt, const broker::join_group_answer& joined,
                 std::vector<broker::member_assignment> shares);
  void on_synced(std::uint64_t attempt, result<broker::sync_group_answer> answer);
  void retry_join(std::uint64_t attempt, bool forget_member, bool at_once);
  void finish(std::uint64_t attempt, result<outcome> end);
  void schedule_heartbeat(std::uint64_t attempt);
  void beat(std::uint64_t attempt);
  void on_beat(std::uint64_t attempt, const status& answer);
  void watch_topics();
  void mark_rejoin(bool lost);
  partition_counts count_partitions(const std::vector<std::string>& topics) const;

  const std::shared_ptr<transport> over_;
  const consumer_options options_;
  const std::function<void()> changed_;

  std::atomic<bool> needs_join_{true};
  std::atomic<bool> lost_{false};
  std::atomic<std::uint64_t> activity_{0};

  mutable std::mutex mutex_;  // guards what follows; never held over a facade call
  phase phase_ = phase::out;
  std::uint64_t attempt_ = 0;  // replies and timers of an earlier attempt are ignored
  std::vector<std::string> topics_;
  std::string member_;
  std::int32_t generation_ = -1;
  std::string protocol_;
  std::optional<result<outcome>> outcome_;
  // As leader: the topics of the whole group as they were assigned, to see when they change.
  std::optional<partition_counts> watched_;
  std::uint64_t watched_version_ = 0;
  // The heartbeat's view of the caller's activity.
  std::uint64_t activity_seen_ = 0;
  monotonic_time active_at_;
};

}  // namespace ringlog::client
