#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/assignors.h"
#include "client/group_membership.h"

namespace ringlog::client {

// Membership by the classic group protocol with eager rebalancing (Kafka: AbstractCoordinator,
// ConsumerCoordinator): the member gives up all its partitions, then it joins, deals out the
// partitions when it is the leader, and syncs.
class classic_membership final : public group_membership,
                                 public std::enable_shared_from_this<classic_membership> {
 public:
  classic_membership(std::shared_ptr<transport> over, const consumer_options& options,
                     std::function<void()> changed);

  void subscribe(group_subscription wanted) override;
  result<std::optional<group_step>> next_step() override;
  void step_made(const group_step& step) override;
  bool is_settled() const override;
  bool is_lost() const override;
  broker::group_member_identity identity() const override;

  // Static members stay until their session ends (KIP-345).
  void leave(callback<void()> done) override;

 private:
  enum class phase : std::uint8_t { out, joining, syncing, stable };

  using outcome = result<std::vector<topic_partition>>;

  void start_join();
  void send_join(std::uint64_t attempt);
  void on_joined(std::uint64_t attempt, result<broker::join_group_answer> answer);
  void lead(std::uint64_t attempt, const broker::join_group_answer& joined);
  void watch(const std::set<std::string>& topics, const partition_counts& counts,
             std::uint64_t version);
  void send_sync(std::uint64_t attempt, const broker::join_group_answer& joined,
                 std::vector<broker::member_assignment> shares);
  void on_synced(std::uint64_t attempt, result<broker::sync_group_answer> answer);
  void retry_join(std::uint64_t attempt, bool forget_member, bool at_once);
  void finish(std::uint64_t attempt, outcome end);
  void schedule_heartbeat(std::uint64_t attempt);
  void beat(std::uint64_t attempt);
  void on_beat(std::uint64_t attempt, const status& answer);
  void watch_topics();
  void mark_rejoin(bool lost);
  void send_leave(callback<void()> done);
  partition_counts count_partitions(const std::vector<std::string>& topics) const;

  const std::shared_ptr<transport> over_;
  const consumer_options options_;
  const std::function<void()> changed_;

  mutable std::mutex mutex_;  // guards what follows; never held over a facade call
  phase phase_ = phase::out;
  // At first, after a rebalance began, and after this member was thrown out.
  bool needs_join_ = true;
  bool holds_share_ = false;   // the consumer holds what the last join came to
  bool lost_ = false;          // that is another member's by now
  std::uint64_t attempt_ = 0;  // replies and timers of an earlier attempt are ignored
  std::vector<std::string> topics_;
  std::string member_;
  std::int32_t generation_ = -1;
  std::string protocol_;
  std::optional<outcome> outcome_;  // of a join, until the consumer takes it
  // As leader: the topics of the whole group as they were assigned, to see when they change.
  std::optional<partition_counts> watched_;
  std::uint64_t watched_version_ = 0;
};

}  // namespace ringlog::client
