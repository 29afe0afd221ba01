#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "broker/partition_table.h"
#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Produce requests from their arrival to their acknowledgement (Kafka: ReplicaManager.appendRecords
// and DelayedProduce). A request waits here until its batches are durable, at most its timeout.
class produce_path : public std::enable_shared_from_this<produce_path> {
 public:
  produce_path(broker_services outside, partition_table& partitions);

  void produce(produce_request request, reply<produce_answer> done);

 private:
  struct waiting_produce;

  void appended(const std::shared_ptr<waiting_produce>& waiting, required_acks acks,
                partition& target, const result<storage::append_info>& info);
  void watch(const std::shared_ptr<waiting_produce>& waiting);
  void sweep();
  void sweep_later();

  const broker_services outside_;
  partition_table& partitions_;
  std::mutex mutex_;
  std::deque<std::weak_ptr<waiting_produce>> watched_;  // in the order of arrival
  bool sweeping_ = false;
};

}  // namespace ringlog::broker
