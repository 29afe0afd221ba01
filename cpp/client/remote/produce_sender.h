#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "broker/types.h"
#include "client/remote/cluster.h"
#include "protocol/wire/log/produce.h"

namespace ringlog::client::remote {

// Puts the batches of partitions that one broker leads into few Produce requests (Kafka: Sender): a
// request takes of each partition its oldest batch, up to max_request_size; so many requests are
// under way to a broker, and batches gather meanwhile. Batches of a partition leave in the order in
// which they came. What fails is answered to who sent it, who tries again; when a connection
// breaks, also what waits behind, so that no later batch overtakes.
//
// Failures: timed_out when the batch may have been appended. The network's thread only.
class produce_sender : public std::enable_shared_from_this<produce_sender> {
 public:
  explicit produce_sender(std::shared_ptr<cluster> over) : over_(std::move(over)) {}

  void produce(broker::produce_request request, reply<broker::produce_answer> done);

 private:
  struct pending {
    broker::produce_request request;
    reply<broker::produce_answer> done;
  };
  struct node_queue {
    std::deque<pending> waiting;
    std::int32_t requests_under_way = 0;
    bool is_flush_posted = false;
  };
  using batches = std::vector<pending>;

  void flush(node_id_t node);
  batches take_request(node_queue& from) const;
  void send(node_id_t node, batches sent);
  void answered(node_id_t node, const std::shared_ptr<batches>& sent, result<wire_answer> answer);
  void deliver(batches& sent, const protocol::produce_response& response);
  void fail_all(node_id_t node, batches& sent, const error& failure);

  const std::shared_ptr<cluster> over_;
  std::map<node_id_t, node_queue> nodes_;
};

}  // namespace ringlog::client::remote
