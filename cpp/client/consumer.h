#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/consumer_options.h"
#include "client/fetched_batches.h"
#include "client/group_commit.h"
#include "client/group_membership.h"
#include "client/position_look_up.h"
#include "client/transport.h"
#include "client/wait.h"

namespace ringlog::client {

// What the user's code wants to hear; called in the thread that is inside a consumer call, with no
// lock held. A failure comes out of that call.
struct rebalance_hooks {
  callback<status(const std::vector<topic_partition>&)> revoked;
  callback<status(const std::vector<topic_partition>&)> assigned;
  callback<status(const std::vector<topic_partition>&)> lost;
};

// Kafka's consumer over a transport. One thread at a time may be inside, wakeup() excepted; the
// caller sees to that. Positions:
// - consumed: one past the last record handed out; what commit() and close() commit;
// - processed: consumed, as of the beginning of the call under way; what automatic commits and
//   rebalances commit, so that a caller that dies in its loop gets the record again.
// Blocking calls end at their limit with error_code::timed_out and never hold a lock meanwhile.
class consumer : public std::enable_shared_from_this<consumer> {
 public:
  static std::shared_ptr<consumer> make(std::shared_ptr<transport> over, consumer_options options);
  ~consumer();

  // ---- what to read

  // Replaces the subscription; the group rebalances at the next poll. Fails after assign().
  status subscribe(std::vector<std::string> topics);

  // Subscribes to what `filter` picks of all topic names, asked again when topics come or go.
  using topic_filter = callback<result<std::vector<std::string>>(std::vector<std::string>)>;
  status subscribe_by(topic_filter filter);

  // Subscribes to the topics whose whole name matches, as the broker finds; consumer protocol only.
  status subscribe_to(std::string expression);

  // Reads exactly these. Fails while subscribed.
  status assign(const std::vector<topic_partition>& partitions);

  status unsubscribe(const wait_limit& limit);

  void set_hooks(rebalance_hooks hooks) { hooks_ = std::move(hooks); }

  std::vector<topic_partition> assignment() const;
  std::optional<std::set<std::string>> subscription() const;

  // ---- records: begin_call(), then while take() finds none, fill()

  // A call of the user's began: what was handed out so far counts as processed.
  void begin_call();

  // The next record that is there already. It points into current(), and its partition's position
  // has moved past it. False: nothing here, or something that only fill() may do waits.
  bool take(model::record_view& record);
  const std::shared_ptr<fetched_batch>& current() const { return current_; }

  // Rebalances, looks positions up, fetches. True when take() will find a record; false when the
  // limit came first, which is not a failure.
  result<bool> fill(const wait_limit& limit);

  // As fill, with the limit counted from the end of the first join and position look-up.
  result<bool> fill_within(milliseconds idle, callback<status()>* interrupted);

  // Another thread: ends the fill under way, or the next one, with error_code::interrupted.
  void wakeup();

  // ---- positions

  result<offset_t> position(const topic_partition& source, const wait_limit& limit);
  status seek(const topic_partition& source, offset_t to);
  status seek_to(const std::vector<topic_partition>& sources, offset_reset where);  // {}: all
  status pause(const std::vector<topic_partition>& sources, bool paused);
  std::vector<topic_partition> paused() const;
  std::optional<offset_t> high_watermark(const topic_partition& source) const;

  // ---- offsets of the group and of partitions

  // No offsets given: the consumed positions.
  status commit(std::optional<partition_offsets> offsets, const wait_limit& limit);
  void commit_async(std::optional<partition_offsets> offsets,
                    callback<void(const partition_offsets&, status)> done);
  result<std::optional<broker::committed_offset>> committed(const topic_partition& source,
                                                            const wait_limit& limit);
  result<broker::listed_offset> list_offset(const topic_partition& source, std::int64_t timestamp,
                                            const wait_limit& limit);

  broker::group_member_identity group_identity() const;
  const consumer_options& options() const { return options_; }
  transport& over() { return *over_; }

  // Commits the consumed positions when asked, tells the revoked hook, leaves the group.
  status close(bool commit_positions, const wait_limit& limit);

  // For when nobody can wait: commits processed positions and leaves, in the background.
  void abandon();

 private:
  consumer(std::shared_ptr<transport> over, consumer_options options);

  enum attention : std::uint32_t { rebalance = 1, woken = 2 };
  using reading = std::shared_ptr<partition_reading>;

  status check_group(std::string_view what) const;
  reading find(const topic_partition& source) const;
  result<reading> find_assigned(const topic_partition& source) const;

  status prepare(const wait_limit& limit, bool& settled);
  status prepare_topics(const wait_limit& limit, bool& settled);
  status pick_topics(const wait_limit& limit, bool& settled);
  status learn_of_topics(const wait_limit& limit, bool& settled);
  status prepare_group(const wait_limit& limit, bool& settled);
  status make_step(const group_step& step, const wait_limit& limit);
  status give_up(const std::vector<topic_partition>& kept, bool lost, const wait_limit& limit);
  status take_assignment(const std::vector<topic_partition>& partitions);
  void commit_before_rebalance(const wait_limit& limit);
  void refresh_ungrouped();
  status settle_positions(const wait_limit& limit);
  status fetch(const wait_limit& limit);
  bool start_fetch(const wait_limit& limit);
  status take_fetched(broker::fetch_answer answer);
  status handle_failure(const reading& from, const error& failure);
  bool open_next_batch(status& opened);
  void finish_current();
  void set_assigned(std::vector<reading> partitions);
  void attend(std::uint32_t flag);
  void tick_auto_commit();
  void commit_processed_async();
  partition_offsets consumed() const;
  partition_offsets processed() const;

  const std::shared_ptr<transport> over_;
  const consumer_options options_;
  std::shared_ptr<group_membership> member_;  // with a group id only

  // The caller's thread.
  rebalance_hooks hooks_;
  std::optional<std::set<std::string>> topics_;  // subscribed; none: assigned by hand or nothing
  topic_filter filter_;
  std::optional<std::string> expression_;
  bool subscription_changed_ = false;
  bool closed_ = false;
  std::uint64_t topics_seen_ = 0;  // metadata version of the last look at the topics
  kept_answer<std::vector<broker::topic_description>> all_topics_;  // for the filter
  kept_answer<std::monostate> learning_;                            // of a subscribed topic
  std::set<std::string> learned_of_;
  position_look_up positions_;
  fetched_batches fetched_;
  std::shared_ptr<fetched_batch> current_;
  status damage_;  // what take() met; fill() reports it
  std::vector<partition_reading*> handed_out_;
  std::size_t fetch_turn_ = 0;

  struct fetch_under_way {
    std::shared_ptr<pending_answer<broker::fetch_answer>> answer;
    std::vector<std::pair<reading, offset_t>> asked;
  };
  std::optional<fetch_under_way> fetching_;

  // Any thread.
  std::atomic<std::uint32_t> attention_{0};
  std::atomic<std::uint64_t> fetch_token_{0};
  std::atomic<bool> abandoned_{false};
  wait_point wake_;

  mutable std::mutex mutex_;  // guards assigned_ against the engine's thread
  std::vector<reading> assigned_;
};

}  // namespace ringlog::client
