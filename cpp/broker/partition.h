#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/task.h"
#include "broker/room_queue.h"
#include "broker/services.h"
#include "storage/partition_log.h"

namespace ringlog::broker {

// A partition that this node leads: its log, its leader epoch, and who waits for it (Kafka:
// Partition). Made by the partition_table and shared by what is under way; any thread. The mutex
// is never held while the log is asked or anyone is called.
class partition : public std::enable_shared_from_this<partition> {
 public:
  partition(std::shared_ptr<storage::partition_log> log, broker_services outside,
            std::shared_ptr<room_queue> no_room);
  ~partition();

  // Begins to listen to the log; once, before use.
  void start();

  storage::partition_log& log() { return *log_; }
  const topic_partition& name() const { return log_->name(); }

  // ---- appending

  struct append {
    byte_buffer batches;
    storage::append_origin origin = storage::append_origin::client;
    bool trusted = false;  // encoded by this process, see storage::append_options
    monotonic_time deadline;
    // What the log said; on success the batches are in memory, not yet durable. Given the
    // partition, so that what waits in it need not keep it alive.
    callback<void(partition&, result<storage::append_info>)> done;
  };

  // Appends as leader, in the order of one caller's calls. The first append after a start raises
  // the leader epoch (disk_format rule 2), but for a partition made since. One that finds no room
  // in memory waits for it, at most to its deadline, and what comes after it waits behind it.
  // `done` runs inside the call or on the engine's thread.
  void append_as_leader(append request);

  // ---- waiting for records

  using waiter_id = std::uint64_t;
  // `wake` is called on the engine's thread whenever the high watermark or the last stable offset
  // has moved, and when the partition is closed.
  waiter_id add_waiter(std::shared_ptr<task> wake);
  void remove_waiter(waiter_id id);

  // The topic was deleted or the broker stops: appends that wait are refused with `why`, and so is
  // every later one.
  void close(const error& why);

 private:
  enum class lead_state {
    epoch_unknown,  // since the start; nothing was appended
    queueing,       // the epoch is being raised, or there was no room: appends wait in line
    leading,
    closed,
  };

  void raise_epoch();
  void epoch_raised(const result<leader_epoch_t>& raised);
  // Appends what waits, in order; false when there is no room for the next of it.
  bool drain();
  void drain_later();
  // None when there is no room and the deadline has not come; the request is as it was then.
  std::optional<result<storage::append_info>> try_append(append& request, leader_epoch_t epoch);
  void wake_all();

  const std::shared_ptr<storage::partition_log> log_;
  const broker_services outside_;
  const std::shared_ptr<room_queue> no_room_;

  std::mutex mutex_;
  bool listening_ = false;
  lead_state lead_state_ = lead_state::epoch_unknown;
  leader_epoch_t epoch_{no_leader_epoch};
  std::deque<append> queue_;
  error why_closed_{error_code::closed, ""};
  waiter_id last_waiter_ = 0;
  std::map<waiter_id, std::shared_ptr<task>> waiters_;
};

}  // namespace ringlog::broker
