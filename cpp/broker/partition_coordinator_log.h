#pragma once

#include <memory>

#include "broker/coordinator_log.h"
#include "broker/partition.h"
#include "broker/services.h"

namespace ringlog::broker {

// A partition of an internal topic over its log. Shared by the coordinator and what is under way.
class partition_coordinator_log final
    : public coordinator_log,
      public std::enable_shared_from_this<partition_coordinator_log> {
 public:
  partition_coordinator_log(std::shared_ptr<partition> target, broker_services outside)
      : target_(std::move(target)), outside_(outside) {}

  void append(std::vector<coordinator_record> records,
              callback<void(result<offset_t>)> done) override;
  void replay(coordinator_replay& target, callback<void(status)> done) override;

 private:
  // Piece by piece: each is read aside and told on the engine's thread.
  void replay_from(offset_t from, coordinator_replay& target, callback<void(status)> done);
  static result<offset_t> tell(const result<storage::log_read>& read, offset_t from,
                               coordinator_replay& target);

  const std::shared_ptr<partition> target_;
  const broker_services outside_;
};

}  // namespace ringlog::broker
