#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/types.h"
#include "client/consumer_options.h"
#include "client/poll_watch.h"
#include "client/transport.h"

namespace ringlog::client {

// What a member wants to read: topics by name, or those that match an expression which the broker
// knows (RE2; consumer protocol only).
struct group_subscription {
  std::vector<std::string> topics;
  std::optional<std::string> expression;

  bool operator==(const group_subscription&) const = default;
};

// What a consumer has to do to keep up with its group.
struct group_step {
  enum class kind : std::uint8_t {
    revoke,  // give up what is not in `partitions`; it is still this member's while it does so
    lose,    // give up what is not in `partitions`: it may be another member's already
    assign,  // hold `partitions`, and go on reading those of them that it held
  };
  kind what;
  std::vector<topic_partition> partitions;  // what the consumer holds afterwards
};

// A consumer's place in its group; one implementation for each of Kafka's group protocols. What has
// to be agreed on with the coordinator goes on by itself on the engine's thread, which also beats
// the heart: a caller that is busy for long loses nothing until max_poll_interval_ms. What that
// comes to is for the consumer to do, in its own thread, step by step.
//
// Owned by one consumer through a shared_ptr, because replies may come after it let go. Methods are
// for the consumer's thread unless said otherwise.
class group_membership {
 public:
  // `changed` is called when next_step() or is_settled() may have news, on the engine's thread or
  // inside a call of this object.
  static std::shared_ptr<group_membership> make(std::shared_ptr<transport> over,
                                                const consumer_options& options,
                                                std::function<void()> changed);
  virtual ~group_membership() = default;

  // From now on. The member joins, or tells its group, at the next next_step().
  virtual void subscribe(group_subscription wanted) = 0;

  // What to do now, if anything; step_made() tells that it was done. A failure is one that no retry
  // mends; the call after it begins anew.
  virtual result<std::optional<group_step>> next_step() = 0;
  virtual void step_made(const group_step& step) = 0;

  // The consumer holds what its group assigned for the latest subscription.
  virtual bool is_settled() const = 0;

  // What the consumer holds may be another member's already, so it must not be committed.
  // Any thread.
  virtual bool is_lost() const = 0;

  // Tells that the caller works: call at every poll. Cheap.
  void touch() { polls_.touch(); }

  // The identity to commit with; generation -1 while not a member. Any thread.
  virtual broker::group_member_identity identity() const = 0;

  // Leaves the group and holds nothing any more. `done` is called when the coordinator knows, or
  // cannot be told. Any thread.
  virtual void leave(callback<void()> done) = 0;

 protected:
  poll_watch polls_;
};

}  // namespace ringlog::client
