#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker/services.h"
#include "broker/types.h"

namespace ringlog::broker {

// Producer ids for idempotent producers (Kafka: RPCProducerIdManager): handed out from blocks of
// 1000 that the metadata log keeps, so that none is ever given twice. Any thread.
class producer_ids : public std::enable_shared_from_this<producer_ids> {
 public:
  explicit producer_ids(broker_services outside) : outside_(outside) {}

  // A new id with epoch 0; for a known identity the next epoch of the same id while there is one
  // (KIP-360). Transactional ids are refused.
  void init(const std::optional<std::string>& transactional_id,
            const std::optional<producer_identity>& current, reply<producer_identity> done);

 private:
  void next(reply<producer_identity> done);
  void refilled(result<metadata::producer_id_block> block);

  const broker_services outside_;
  std::mutex mutex_;
  metadata::producer_id_block block_{no_producer_id, 0};
  bool refilling_ = false;
  std::deque<reply<producer_identity>> waiting_;
};

}  // namespace ringlog::broker
