#pragma once

#include <map>
#include <memory>

#include "base/clock.h"
#include "client/consumer_options.h"
#include "client/group_membership.h"
#include "client/transport.h"

namespace ringlog::client {

using partition_offsets = std::map<topic_partition, broker::committed_offset>;

// One commit of a group's offsets, as the member that its consumer is when it is sent. In a group
// of the consumer protocol the coordinator may already be at a later epoch of the member than the
// member itself: then it is sent again when the member knows that, until default_api_timeout_ms.
// Keeps itself alive; `done` is called once, on the engine's thread.
class group_commit : public std::enable_shared_from_this<group_commit> {
 public:
  using outcome = callback<void(const partition_offsets&, status)>;

  static void start(std::shared_ptr<transport> over, std::shared_ptr<const group_membership> member,
                    const consumer_options& options, partition_offsets what, outcome done);

  group_commit(std::shared_ptr<transport> over, std::shared_ptr<const group_membership> member,
               const consumer_options& options, partition_offsets what, outcome done);

 private:
  void send();
  void finish(status how);

  const std::shared_ptr<transport> over_;
  const std::shared_ptr<const group_membership> member_;
  const milliseconds backoff_;
  const monotonic_time deadline_;
  const partition_offsets what_;
  outcome done_;
};

}  // namespace ringlog::client
