#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "broker/broker.h"
#include "server/advertised_address.h"

namespace ringlog::server {

// Several brokers for clients to see where there is one: its partitions and groups dealt out among
// node ids, each with a listener of its own. All have the same core behind them; nothing is kept
// more than once, and no node can fail alone. For clients' cluster code and the tests of it.
//
// A partition is led by the node that its topic's name and its number say, unless replicas were
// named when the topic was made. How many replicas a topic shows is remembered from its making
// until the process ends; one that was made before shows its leader only.
//
// Owned by the server's shared_state; the core outlives it. Any thread.
class presented_nodes {
 public:
  presented_nodes(broker::broker& core, std::size_t count);
  ~presented_nodes();

  std::size_t count() const { return nodes_.size(); }
  node_id_t id_of(std::size_t index) const;

  // What the node of that index answers.
  broker::broker& broker_of(std::size_t index) { return *nodes_[index].answers; }

  // Once its listener is there.
  void set_address(std::size_t index, advertised_address address);
  // Empty: not known yet.
  std::vector<std::pair<node_id_t, advertised_address>> addresses() const;

  // ---- for what the nodes answer

  bool has(node_id_t id) const;

  // The leader is the first. There is such a partition or not.
  std::vector<node_id_t> replicas_of(std::string_view topic, std::size_t partition) const;
  node_id_t coordinator_of(std::string_view group) const;

  // Of a topic that was made: how many replicas each partition has, or those named for them.
  struct arrangement {
    uuid topic;
    std::size_t replicas = 1;
    std::vector<std::vector<node_id_t>> named;
  };
  void remember(const std::string& name, arrangement made);
  void forget(const std::string& name, const uuid& topic);

 private:
  struct node {
    std::unique_ptr<broker::broker> answers;
    advertised_address address;
    bool is_listening = false;
  };
  const node_id_t first_;
  std::vector<node> nodes_;
  mutable std::mutex mutex_;  // guards what follows, and the addresses
  std::map<std::string, arrangement, std::less<>> arrangements_;  // by topic
};

}  // namespace ringlog::server
