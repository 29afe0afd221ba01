#include "server/presented_nodes.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "server/presented_broker.h"

namespace ringlog::server {

presented_nodes::presented_nodes(broker::broker& core, std::size_t count)
    : first_(core.describe_cluster().node), nodes_(count) {
  for (std::size_t i = 0; i < count; ++i) {
    nodes_[i].answers = std::make_unique<presented_broker>(core, *this, id_of(i));
  }
}

presented_nodes::~presented_nodes() = default;

node_id_t presented_nodes::id_of(std::size_t index) const {
  return node_id_t(first_.value() + static_cast<std::int32_t>(index));
}

bool presented_nodes::has(node_id_t id) const { return id >= first_ && id < id_of(nodes_.size()); }

void presented_nodes::set_address(std::size_t index, advertised_address address) {
  const std::lock_guard lock(mutex_);
  nodes_[index].address = std::move(address);
  nodes_[index].is_listening = true;
}

std::vector<std::pair<node_id_t, advertised_address>> presented_nodes::addresses() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<node_id_t, advertised_address>> all;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].is_listening) all.emplace_back(id_of(i), nodes_[i].address);
  }
  return all;
}

std::vector<node_id_t> presented_nodes::replicas_of(std::string_view topic,
                                                    std::size_t partition) const {
  std::size_t replicas = 1;
  {
    const std::lock_guard lock(mutex_);
    const auto found = arrangements_.find(topic);
    if (found != arrangements_.end()) {
      const auto& named = found->second.named;
      if (partition < named.size()) return named[partition];
      replicas = found->second.replicas;
    }
  }
  const std::size_t start = crc32c(as_bytes(topic)) + partition;
  std::vector<node_id_t> nodes;
  for (std::size_t i = 0; i < replicas; ++i) nodes.push_back(id_of((start + i) % nodes_.size()));
  return nodes;
}

node_id_t presented_nodes::coordinator_of(std::string_view group) const {
  return id_of(crc32c(as_bytes(group)) % nodes_.size());
}

void presented_nodes::remember(const std::string& name, arrangement made) {
  const std::lock_guard lock(mutex_);
  arrangements_.insert_or_assign(name, std::move(made));
}

// A topic of the same name may have been made already.
void presented_nodes::forget(const std::string& name, const uuid& topic) {
  const std::lock_guard lock(mutex_);
  const auto found = arrangements_.find(name);
  if (found != arrangements_.end() && found->second.topic == topic) arrangements_.erase(found);
}

}  // namespace ringlog::server
