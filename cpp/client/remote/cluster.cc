#include "client/remote/cluster.h"

#include <algorithm>

#include "client/remote/remote_call.h"

namespace ringlog::client::remote {
namespace {

// How old an answer may be that says that a topic or partition is not there, before it is asked
// anew; and how often topics that are wanted and not there are looked for.
constexpr milliseconds missing_age_max{1000};

// Requests that are under way when a client is closed.
constexpr milliseconds close_wait_max{5000};
constexpr milliseconds close_look{5};

bool same_partition(const broker::partition_description& left,
                    const broker::partition_description& right) {
  return left.partition == right.partition && left.leader == right.leader &&
         left.leader_epoch == right.leader_epoch && left.replicas == right.replicas &&
         left.in_sync_replicas == right.in_sync_replicas;
}

bool same_topic(const broker::topic_description& left, const broker::topic_description& right) {
  return left.id == right.id &&
         std::ranges::equal(left.partitions, right.partitions, same_partition);
}

template <typename Topics>
bool same_topics(const Topics& left, const Topics& right) {
  return std::ranges::equal(left, right, [](const auto& one, const auto& other) {
    return one.first == other.first && same_topic(one.second, other.second);
  });
}

// Brokers learn of a change one after another: what is known of a later epoch stays (KIP-320).
void keep_newer(broker::topic_description& found, const broker::topic_description& known) {
  if (found.id != known.id) return;
  for (auto& partition : found.partitions) {
    const auto before = std::ranges::find(known.partitions, partition.partition,
                                          &broker::partition_description::partition);
    if (before == known.partitions.end()) continue;
    if (partition.leader_epoch < before->leader_epoch) partition = *before;
  }
}

bool has_leaders(const broker::topic_description& topic) {
  return std::ranges::none_of(topic.partitions,
                              [](const auto& each) { return each.leader.value() < 0; });
}

std::vector<node_id_t> to_nodes(const std::vector<std::int32_t>& numbers) {
  std::vector<node_id_t> nodes;
  for (const std::int32_t number : numbers) nodes.emplace_back(number);
  return nodes;
}

}  // namespace

broker::topic_description describe_topic(const protocol::metadata_response::topic& answered) {
  broker::topic_description topic;
  topic.name = answered.name.value_or("");
  topic.id = answered.topic_id;
  topic.internal = answered.is_internal;
  for (const auto& each : answered.partitions) {
    topic.partitions.push_back({partition_id_t(each.partition_index), node_id_t(each.leader_id),
                                leader_epoch_t(each.leader_epoch), to_nodes(each.replica_nodes),
                                to_nodes(each.isr_nodes)});
  }
  std::ranges::sort(topic.partitions, {}, &broker::partition_description::partition);
  return topic;
}

cluster::cluster(std::shared_ptr<network_thread> thread, remote_options options)
    : thread_(std::move(thread)),
      options_(std::make_shared<const remote_options>(std::move(options))),
      image_(std::make_shared<const image>()) {}

// ---- what is known

std::shared_ptr<const cluster::image> cluster::current() const {
  const std::lock_guard guard(mutex_);
  return image_;
}

std::optional<broker::topic_description> cluster::find_topic(std::string_view name) const {
  const auto known = current();
  const auto found = known->topics.find(name);
  if (found == known->topics.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> cluster::topic_name(const uuid& id) const {
  const auto known = current();
  const auto found = known->names.find(id);
  if (found == known->names.end()) return std::nullopt;
  return found->second;
}

std::string cluster::trouble() const {
  const std::lock_guard guard(mutex_);
  return trouble_;
}

const broker::partition_description* cluster::find(const image& in, const topic_partition& which) {
  const auto topic = in.topics.find(which.topic);
  if (topic == in.topics.end()) return nullptr;
  const auto found = std::ranges::find(topic->second.partitions, which.partition,
                                       &broker::partition_description::partition);
  return found == topic->second.partitions.end() ? nullptr : &*found;
}

std::optional<node_id_t> cluster::leader_of(const topic_partition& partition) const {
  const auto known = current();
  const auto* found = find(*known, partition);
  if (found == nullptr || !known->nodes.contains(found->leader)) return std::nullopt;
  return found->leader;
}

leader_epoch_t cluster::leader_epoch_of(const topic_partition& partition) const {
  const auto known = current();
  const auto* found = find(*known, partition);
  return found == nullptr ? no_leader_epoch : found->leader_epoch;
}

described_cluster cluster::describe() const {
  const auto known = current();
  described_cluster made{known->cluster_id, known->controller, {}};
  for (const auto& [id, node] : known->nodes) made.nodes.push_back(node);
  return made;
}

std::vector<node_id_t> cluster::nodes() const {
  const auto known = current();
  std::vector<node_id_t> ids;
  for (const auto& [id, node] : known->nodes) ids.push_back(id);
  return ids;
}

bool cluster::is_missing(const std::string& topic) const {
  const auto found = missing_topics_.find(topic);
  return found != missing_topics_.end() && thread_->time().now() - found->second < missing_age_max;
}

void cluster::want_topic(const std::string& name) {
  if (wanted_topics_.insert(name).second) refresh_soon();
}

void cluster::keep_watching(const std::vector<std::string>& names) {
  bool lacks_topic = false;
  for (const std::string& name : names) {
    wanted_topics_.insert(name);
    lacks_topic = lacks_topic || is_missing(name);
  }
  if (lacks_topic) schedule_refresh(thread_->time().now() + missing_age_max);
}

// ---- metadata

void cluster::when_known(reply<std::monostate> done) {
  if (!current()->nodes.empty()) return done(std::monostate{});
  waiting_for_metadata_.push_back(std::move(done));
  refresh_soon();
}

void cluster::refresh_soon() {
  if (refreshing_) {
    refresh_again_ = true;
    return;
  }
  schedule_refresh(
      std::max(thread_->time().now(), refreshed_at_ + milliseconds(options_->retry_backoff_ms)));
}

void cluster::schedule_refresh(monotonic_time when) {
  if (closing_ || (refresh_timer_ != 0 && refresh_at_ <= when)) return;
  thread_->loop().cancel(refresh_timer_);
  refresh_at_ = when;
  refresh_timer_ = thread_->loop().schedule_at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->refresh();
  });
}

void cluster::refresh() {
  refresh_timer_ = 0;
  if (refreshing_ || closing_) return;
  refreshing_ = true;
  refresh_again_ = false;
  auto names = wants_all_
                   ? std::nullopt
                   : std::optional(std::vector(wanted_topics_.begin(), wanted_topics_.end()));
  call_plan<protocol::metadata_request, protocol::metadata_response, std::monostate> plan;
  plan.by = route::any();
  plan.what = "Metadata";
  plan.lowest_version = 4;
  plan.is_retried = false;
  plan.is_waited_for = false;
  plan.fill = [names](protocol::metadata_request& request, std::int16_t) {
    request.allow_auto_topic_creation = false;
    request.topics.reset();
    if (!names) return;
    request.topics.emplace();
    for (const std::string& name : *names) request.topics->emplace_back().name = name;
  };
  plan.take = [weak = weak_from_this(), names](protocol::metadata_response& answer,
                                               const wire_answer&) -> result<std::monostate> {
    if (const auto self = weak.lock()) self->take_metadata(answer, names);
    return std::monostate{};
  };
  call_remote(shared_from_this(), std::move(plan),
              reply<std::monostate>([weak = weak_from_this()](const auto& outcome) {
                const auto self = weak.lock();
                if (!self) return;
                if (!outcome.ok()) self->heard_of_failure(outcome.failure());
                self->on_refreshed(outcome.ok());
              }));
}

void cluster::on_refreshed(bool succeeded) {
  refreshing_ = false;
  const monotonic_time now = thread_->time().now();
  const milliseconds backoff(options_->retry_backoff_ms);
  if (!succeeded || refresh_again_) return schedule_refresh(now + backoff);
  const auto known = current();
  bool lacks_leader = false;
  bool lacks_topic = false;
  for (const std::string& name : wanted_topics_) {
    const auto found = known->topics.find(name);
    lacks_topic = lacks_topic || found == known->topics.end();
    lacks_leader = lacks_leader || (found != known->topics.end() && !has_leaders(found->second));
  }
  if (lacks_leader || known->nodes.empty()) return schedule_refresh(now + backoff);
  if (lacks_topic) return schedule_refresh(now + std::max(missing_age_max, backoff));
  schedule_refresh(now + milliseconds(options_->metadata_max_age_ms));
}

void cluster::take_metadata(const protocol::metadata_response& answer,
                            const std::optional<std::vector<std::string>>& asked) {
  const auto before = current();
  auto next = std::make_shared<image>();
  if (asked) next->topics = before->topics;
  next->cluster_id = answer.cluster_id.value_or("");
  next->controller = node_id_t(answer.controller_id);
  for (const auto& node : answer.brokers) {
    next->nodes[node_id_t(node.node_id)] = {node_id_t(node.node_id), node.host, node.port,
                                            node.rack};
  }
  refreshed_at_ = thread_->time().now();
  for (const auto& topic : answer.topics) {
    const std::string name = topic.name.value_or("");
    const bool is_there = topic.error_code == 0 || !topic.partitions.empty();
    missing_topics_.erase(name);
    if (is_there) {
      broker::topic_description found = describe_topic(topic);
      const auto known = before->topics.find(name);
      if (known != before->topics.end()) keep_newer(found, known->second);
      next->topics[name] = std::move(found);
    } else if (topic.error_code != leader_not_available) {
      next->topics.erase(name);
      missing_topics_[name] = refreshed_at_;
    }
  }
  for (const auto& [name, topic] : next->topics) next->names[topic.id] = name;
  const bool differs = !same_topics(before->topics, next->topics);
  {
    const std::lock_guard guard(mutex_);
    image_ = next;
    trouble_.clear();
    trouble_is_failure_ = false;
  }
  if (differs) version_.fetch_add(1, std::memory_order_release);
  drop_stale_connections(*next);
  if (next->nodes.empty()) return;
  for (auto& done : std::exchange(waiting_for_metadata_, {})) done(std::monostate{});
}

// What is only waited for may hide no failure.
void cluster::heard_of_failure(const error& failure) {
  const std::lock_guard guard(mutex_);
  if (failure.code == error_code::timed_out && trouble_is_failure_) return;
  trouble_is_failure_ = failure.code != error_code::timed_out;
  trouble_ = failure.message;
}

// ---- connections

cluster::connection cluster::make_connection(const io::host_port& where) {
  return std::make_shared<broker_connection>(thread_, options_, where,
                                             [weak = weak_from_this()](const error& failure) {
                                               if (const auto self = weak.lock()) {
                                                 self->heard_of_failure(failure);
                                               }
                                             });
}

cluster::connection cluster::connection_to(node_id_t node, route::lane over) {
  const auto known = current();
  const auto found = known->nodes.find(node);
  if (found == known->nodes.end()) return nullptr;
  connection& kept = connections_[{node, over}];
  if (kept == nullptr) {
    kept = make_connection({found->second.host, static_cast<std::uint16_t>(found->second.port)});
  }
  return kept;
}

void cluster::drop_stale_connections(const image& now) {
  const error gone{nobody_there, "the broker is no longer there"};
  std::vector<connection> stale;
  std::erase_if(connections_, [&](const auto& entry) {
    const auto found = now.nodes.find(entry.first.first);
    if (found != now.nodes.end() && found->second.host == entry.second->where().host &&
        found->second.port == entry.second->where().port) {
      return false;
    }
    stale.push_back(entry.second);
    return true;
  });
  // The bootstrap servers have done their part.
  std::erase_if(bootstrap_, [&](const connection& each) {
    if (now.nodes.empty() || each->calls_under_way() > 0) return false;
    stale.push_back(each);
    return true;
  });
  for (const connection& each : stale) {
    thread_->loop().post([each, gone] { each->close(gone); });
  }
}

// The least busy of those that are connected, else one that can be tried; the bootstrap servers
// when none of the brokers can.
cluster::connection cluster::pick_any() {
  std::vector<connection> candidates;
  for (const node_id_t id : nodes()) candidates.push_back(connection_to(id, route::lane::control));
  connection best;
  for (const connection& each : candidates) {
    if (!each->is_ready()) continue;
    if (!best || each->calls_under_way() < best->calls_under_way()) best = each;
  }
  if (best) return best;
  const bool all_fail =
      std::ranges::all_of(candidates, [](const auto& each) { return each->is_backing_off(); });
  if (all_fail) {
    if (bootstrap_.empty()) {
      for (const io::host_port& where : options_->bootstrap_servers) {
        bootstrap_.push_back(make_connection(where));
      }
    }
    candidates.insert(candidates.end(), bootstrap_.begin(), bootstrap_.end());
  }
  const std::size_t count = candidates.size();
  const std::size_t first = thread_->random().below(count);
  for (std::size_t i = 0; i < count; ++i) {
    const connection& each = candidates[(first + i) % count];
    if (!each->is_backing_off()) return each;
  }
  return candidates[first];
}

// ---- asking

void cluster::ask(const route& by, wire_call call) {
  if (closing_) return call.done(error{error_code::closed, "the client is closed"});
  switch (by.to) {
    case route::kind::any:
      return pick_any()->ask(std::move(call));
    case route::kind::controller: {
      const connection at = connection_to(current()->controller, by.over);
      return (at != nullptr ? at : pick_any())->ask(std::move(call));
    }
    case route::kind::node: {
      const connection at = connection_to(by.node, by.over);
      if (at == nullptr) {
        return call.done(
            make_error(error_code::invalid_argument, "there is no broker {}", by.node));
      }
      return at->ask(std::move(call));
    }
    case route::kind::leader:
      return ask_leader(by, std::move(call));
    case route::kind::coordinator:
      return ask_coordinator(by, std::move(call));
  }
}

void cluster::ask_leader(const route& by, wire_call call) {
  const auto leader = leader_of(by.partition);
  const connection at = leader ? connection_to(*leader, by.over) : nullptr;
  if (at != nullptr) return at->ask(std::move(call));
  call.done(why_no_leader(by.partition));
}

// What is not there may be there by now, so an answer that says so is believed for a moment only.
error cluster::why_no_leader(const topic_partition& partition) {
  const auto known = find_topic(partition.topic);
  const bool is_fresh = thread_->time().now() - refreshed_at_ < missing_age_max;
  want_topic(partition.topic);
  const bool has_partition =
      known && partition.partition.value() < static_cast<std::int32_t>(known->partitions.size());
  if (known ? is_fresh && !has_partition : is_missing(partition.topic)) {
    return make_error(error_code::unknown_topic_or_partition, "there is no {}",
                      partition.to_string());
  }
  refresh_soon();
  return make_error(error_code::not_leader, "the leader of {} is not known yet",
                    partition.to_string());
}

void cluster::note_failure(const route& by, error_code code) {
  switch (code) {
    case error_code::not_coordinator:
    case nobody_there:
    case error_code::timed_out:
      if (by.to == route::kind::coordinator) coordinators_[by.group].node = node_id_t(-1);
      [[fallthrough]];
    case error_code::not_leader:
    case error_code::unknown_topic_or_partition:
    case error_code::unknown_topic_id:
    case error_code::fenced_leader_epoch:
    case error_code::unknown_leader_epoch:
    case error_code::storage_failed:
      refresh_soon();
      break;
    default:
      break;
  }
}

// ---- coordinators

void cluster::ask_coordinator(const route& by, wire_call call) {
  looked_up_coordinator& known = coordinators_[by.group];
  if (known.node.value() >= 0) {
    if (const connection at = connection_to(known.node, by.over)) return at->ask(std::move(call));
    known.node = node_id_t(-1);
  }
  known.waiting.push_back(
      [weak = weak_from_this(), by, call = std::move(call)](status outcome) mutable {
        if (!outcome.ok()) return call.done(std::move(outcome.failure()));
        const auto self = weak.lock();
        const auto at =
            self ? self->connection_to(self->coordinators_[by.group].node, by.over) : nullptr;
        if (at != nullptr) return at->ask(std::move(call));
        call.done(error{error_code::coordinator_not_available, "the coordinator has gone"});
      });
  if (!std::exchange(known.is_asked_for, true)) look_coordinator_up(by.group);
}

void cluster::look_coordinator_up(const std::string& group) {
  call_plan<protocol::find_coordinator_request, protocol::find_coordinator_response, node_id_t>
      plan;
  plan.by = route::any();
  plan.what = "FindCoordinator of group " + group;
  plan.is_retried = false;
  plan.is_waited_for = false;
  plan.fill = [group](protocol::find_coordinator_request& request, std::int16_t version) {
    if (version >= 4) {
      request.coordinator_keys.emplace_back(group);
    } else {
      request.key = group;
    }
  };
  plan.take = [weak = weak_from_this()](protocol::find_coordinator_response& answer,
                                        const wire_answer& frame) -> result<node_id_t> {
    protocol::find_coordinator_response::coordinator found;
    if (frame.version < 4) {
      found.node_id = answer.node_id;
      found.host = answer.host;
      found.port = answer.port;
      found.error_code = answer.error_code;
      found.error_message = answer.error_message;
    } else if (!answer.coordinators.empty()) {
      found = answer.coordinators.front();
    }
    TRY(check_code(found.error_code, found.error_message));
    if (const auto self = weak.lock()) self->learn_node(found.node_id, found.host, found.port);
    return node_id_t(found.node_id);
  };
  call_remote(shared_from_this(), std::move(plan),
              reply<node_id_t>([weak = weak_from_this(), group](auto found) {
                if (const auto self = weak.lock()) self->on_coordinator(group, std::move(found));
              }));
}

void cluster::on_coordinator(const std::string& group, result<node_id_t> found) {
  looked_up_coordinator& known = coordinators_[group];
  known.is_asked_for = false;
  if (found.ok()) known.node = *found;
  auto waiting = std::exchange(known.waiting, {});
  for (auto& each : waiting) each(found.ok() ? status() : status(error(found.failure())));
}

// A coordinator may be a broker that the metadata read last did not have.
void cluster::learn_node(std::int32_t id, const std::string& host, std::int32_t port) {
  const auto before = current();
  if (before->nodes.contains(node_id_t(id))) return;
  auto next = std::make_shared<image>(*before);
  next->nodes[node_id_t(id)] = {node_id_t(id), host, port, std::nullopt};
  const std::lock_guard guard(mutex_);
  image_ = std::move(next);
}

// ---- the end

void cluster::close() {
  if (std::exchange(closing_, true)) return;
  thread_->loop().cancel(refresh_timer_);
  close_when_idle(thread_->time().now() + close_wait_max);
}

void cluster::close_when_idle(monotonic_time deadline) {
  std::size_t under_way = 0;
  for (const auto& [key, each] : connections_) {
    if (key.second == route::lane::control) under_way += each->calls_under_way();
  }
  if (under_way == 0 || thread_->time().now() >= deadline) return close_all();
  thread_->loop().schedule_at(
      thread_->time().now() + close_look,
      [self = shared_from_this(), deadline] { self->close_when_idle(deadline); });
}

void cluster::close_all() {
  const error why{error_code::closed, "the client was closed"};
  for (const auto& [key, each] : std::exchange(connections_, {})) each->close(why);
  for (const auto& each : std::exchange(bootstrap_, {})) each->close(why);
}

}  // namespace ringlog::client::remote
