#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/group_membership.h"

namespace ringlog::client {

// Membership by the consumer group protocol (KIP-848; Kafka: ConsumerMembershipManager,
// ConsumerHeartbeatRequestManager): the coordinator deals out the partitions, and heartbeats carry
// everything. They tell what has changed here, and are answered with the member's epoch and what it
// is to hold; as soon as the consumer holds that, the next one says so. Partitions that stay are
// read all the while.
//
// The member chooses its id (KIP-1082) and keeps it. Thrown out, it joins anew once the consumer
// has dropped what it held. A broker that does not know the protocol is an error, not a reason to
// use the other one.
class consumer_membership final : public group_membership,
                                  public std::enable_shared_from_this<consumer_membership> {
 public:
  consumer_membership(std::shared_ptr<transport> over, const consumer_options& options,
                      std::function<void()> changed);

  void subscribe(group_subscription wanted) override;
  result<std::optional<group_step>> next_step() override;
  void step_made(const group_step& step) override;
  bool is_settled() const override;
  bool is_lost() const override;
  broker::group_member_identity identity() const override;  // generation: the member's epoch

  // For good; a static member for a while, until its session ends.
  void leave(callback<void()> done) override;

 private:
  using partitions_by_topic = broker::partitions_by_topic;

  enum class phase : std::uint8_t {
    out,      // joins at the next step
    joining,  // the first heartbeat is not answered
    member,
    lost,  // out; the consumer has still to drop what it holds
  };
  // What the coordinator knows of this member.
  struct told {
    group_subscription subscription;
    partitions_by_topic held;
  };

  // The coordinator makes an assignment at most once in a while (KIP-1263), and others have to give
  // back first. So who has a new subscription and holds nothing asks again sooner, so often within
  // one interval, and is not settled meanwhile.
  static constexpr int early_heartbeats = 5;

  // consumer_membership.cc
  std::optional<group_step> step_towards_target();
  bool settled() const;
  bool seeks() const;
  std::vector<topic_partition> named(const partitions_by_topic& partitions) const;
  void look_topics_up(std::uint64_t attempt, std::uint64_t assignment);
  void take_topics(std::uint64_t attempt, std::uint64_t assignment,
                   const result<std::vector<broker::topic_description>>& found);
  bool aim_at_known_topics();

  // consumer_heartbeats.cc
  bool is_in() const { return phase_ == phase::joining || phase_ == phase::member; }
  void join();
  void beat();
  void beat_after(milliseconds distance, std::uint64_t attempt);
  void on_timer(std::uint64_t attempt, std::uint64_t timer);
  broker::consumer_heartbeat_request request_of_member() const;
  broker::consumer_heartbeat_request next_heartbeat();
  void on_answer(std::uint64_t attempt, std::uint64_t subscription,
                 const result<broker::consumer_heartbeat_answer>& answer);
  void on_failure(std::uint64_t attempt, error failure);
  void send_leave(callback<void()> done);

  const std::shared_ptr<transport> over_;
  const consumer_options options_;
  const std::function<void()> changed_;
  const std::string member_;

  mutable std::mutex mutex_;  // guards what follows; never held over a facade call
  phase phase_ = phase::out;
  std::uint64_t attempt_ = 0;  // replies and timers of an earlier attempt are ignored
  std::int32_t epoch_ = broker::joining_epoch;
  std::optional<error> failure_;  // to be told to the consumer

  std::optional<group_subscription> wanted_;
  std::uint64_t subscription_ = 0;           // of wanted_: how often it has changed
  std::uint64_t answered_subscription_ = 0;  // the last that a heartbeat was answered for

  // From the coordinator to the consumer.
  partitions_by_topic assigned_;               // by the coordinator
  std::uint64_t assignment_ = 0;               // of assigned_: how often it came
  std::map<uuid, std::string> topic_names_;    // of topics that were ever assigned
  std::optional<partitions_by_topic> target_;  // assigned_, as far as the names are known
  std::optional<partitions_by_topic> held_;    // by the consumer
  std::optional<partitions_by_topic> step_;    // what it holds after the step that is being made
  bool is_reconciled_ = false;                 // target_ has been assigned

  // Heartbeats.
  std::optional<told> told_;  // none: the next one tells everything
  bool has_told_expression_ = false;
  int answers_ = 0;  // since the join, or since wanted_ changed
  bool is_under_way_ = false;
  bool is_wanted_ = false;   // another one, at once
  std::uint64_t timer_ = 0;  // of the one that waits: how many there were
};

}  // namespace ringlog::client
