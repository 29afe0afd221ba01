#pragma once

#include <memory>

#include "broker/coordinator_log.h"
#include "broker/partition.h"
#include "broker/services.h"

namespace ringlog::broker {

// A partition of an internal topic over its log, which is opened by the replay: that comes before
// all else. Shared by the coordinator and what is under way.
class partition_coordinator_log final
    : public coordinator_log,
      public std::enable_shared_from_this<partition_coordinator_log> {
 public:
  using opened = result<std::shared_ptr<partition>>;

  // `open` may read files and is called aside.
  partition_coordinator_log(callback<opened()> open, broker_services outside)
      : open_(std::move(open)), outside_(outside) {}

  void append(std::vector<coordinator_record> records,
              callback<void(result<offset_t>)> done) override;
  void replay(coordinator_replay& target, callback<void(status)> done) override;

 private:
  // Piece by piece: each is read aside and told on the engine's thread.
  void replay_from(offset_t from, coordinator_replay& target, callback<void(status)> done);
  static result<offset_t> tell(const result<storage::log_read>& read, offset_t from,
                               coordinator_replay& target);

  callback<opened()> open_;
  const broker_services outside_;
  std::shared_ptr<partition> target_;  // of the last replay
};

}  // namespace ringlog::broker
