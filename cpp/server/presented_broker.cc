#include "server/presented_broker.h"

#include <algorithm>

#include "server/presented_nodes.h"

namespace ringlog::server {

using namespace ringlog::broker;

// What does not exist is the core's to say.
std::optional<error> presented_broker::refuse(const topic_partition& of) const {
  const std::int32_t place = of.partition.value();
  if (place < 0) return std::nullopt;
  const node_id_t leader = nodes_.replicas_of(of.topic, static_cast<std::size_t>(place)).front();
  if (leader == mine_) return std::nullopt;
  const auto topic = core_.find_topic(of.topic);
  if (!topic || static_cast<std::size_t>(place) >= topic->partitions.size()) return std::nullopt;
  return make_error(error_code::not_leader, "{} is led by node {}, this is node {}", of.to_string(),
                    leader, mine_);
}

std::optional<error> presented_broker::refuse(std::string_view group) const {
  const node_id_t coordinator = nodes_.coordinator_of(group);
  if (coordinator == mine_) return std::nullopt;
  return make_error(error_code::not_coordinator, "{} is coordinated by node {}, this is node {}",
                    group, coordinator, mine_);
}

void presented_broker::produce(produce_request request, reply<produce_answer> done) {
  if (auto refused = refuse(request.target)) return done(std::move(*refused));
  core_.produce(std::move(request), std::move(done));
}

// The partitions of others stand in the answer where they stood in the request, which then does
// not wait for more.
presented_broker::fetch_token presented_broker::fetch(fetch_request request,
                                                      reply<fetch_answer> done) {
  fetch_answer answer;
  std::vector<std::size_t> places;
  std::vector<fetch_partition> ours;
  for (fetch_partition& asked : request.partitions) {
    fetched_partition& target = answer.partitions.emplace_back();
    target.source = asked.source;
    target.failure = refuse(asked.source);
    if (target.failure) continue;
    places.push_back(answer.partitions.size() - 1);
    ours.push_back(std::move(asked));
  }
  if (ours.size() < request.partitions.size()) request.wait_ms_max = 0;
  request.partitions = std::move(ours);
  return core_.fetch(std::move(request), [answer = std::move(answer), places = std::move(places),
                                          done = std::move(done)](auto found) mutable {
    if (!found.ok()) return done(std::move(found));
    for (std::size_t i = 0; i < places.size(); ++i) {
      answer.partitions[places[i]] = std::move(found->partitions[i]);
    }
    done(std::move(answer));
  });
}

void presented_broker::list_offset(list_offset_request request, reply<listed_offset> done) {
  if (auto refused = refuse(request.source)) return done(std::move(*refused));
  core_.list_offset(std::move(request), std::move(done));
}

void presented_broker::offset_for_leader_epoch(epoch_end_request request,
                                               reply<epoch_end_offset> done) {
  if (auto refused = refuse(request.source)) return done(std::move(*refused));
  core_.offset_for_leader_epoch(std::move(request), std::move(done));
}

void presented_broker::delete_records(topic_partition source, offset_t before,
                                      reply<offset_t> done) {
  if (auto refused = refuse(source)) return done(std::move(*refused));
  core_.delete_records(std::move(source), before, std::move(done));
}

void presented_broker::describe_producers(topic_partition source,
                                          reply<std::vector<active_producer>> done) {
  if (auto refused = refuse(source)) return done(std::move(*refused));
  core_.describe_producers(std::move(source), std::move(done));
}

// ---- topics

void presented_broker::arrange(topic_description& topic) const {
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    partition_description& partition = topic.partitions[i];
    partition.replicas = partition.in_sync_replicas = nodes_.replicas_of(topic.name, i);
    partition.leader = partition.replicas.front();
  }
}

std::optional<topic_description> presented_broker::find_topic(std::string_view name) {
  auto found = core_.find_topic(name);
  if (found) arrange(*found);
  return found;
}

std::optional<topic_description> presented_broker::find_topic(const uuid& id) {
  auto found = core_.find_topic(id);
  if (found) arrange(*found);
  return found;
}

std::vector<topic_description> presented_broker::list_topics() {
  auto all = core_.list_topics();
  for (topic_description& one : all) arrange(one);
  return all;
}

void presented_broker::ensure_topic(std::string name, reply<topic_description> done) {
  core_.ensure_topic(std::move(name),
                     [this, done = std::move(done)](result<topic_description> made) mutable {
                       if (made.ok()) arrange(*made);
                       done(std::move(made));
                     });
}

status presented_broker::check_factor(std::int16_t factor) const {
  if (factor <= 1 || static_cast<std::size_t>(factor) <= nodes_.count()) return {};
  return make_error(error_code::invalid_replication_factor,
                    "Unable to replicate the partition {} time(s): The target replication factor "
                    "of {} cannot be reached because only {} broker(s) are registered.",
                    factor, factor, nodes_.count());
}

// Kafka: ReplicationControlManager.validateManualPartitionAssignment
status presented_broker::check_named(const std::vector<std::vector<node_id_t>>& assignment) const {
  const auto fault = [](const std::string& what) {
    return make_error(error_code::invalid_replica_assignment,
                      "The manual partition assignment includes {}", what);
  };
  for (std::vector<node_id_t> replicas : assignment) {
    if (replicas.empty()) return fault("an empty replica list.");
    std::ranges::sort(replicas);
    for (const node_id_t one : replicas) {
      if (nodes_.has(one)) continue;
      return fault(fmt::format("broker {}, but no such broker is registered.", one));
    }
    const auto twice = std::ranges::adjacent_find(replicas);
    if (twice != replicas.end()) {
      return fault(fmt::format("the broker {} more than once.", *twice));
    }
    const std::size_t factor = assignment.front().size();
    if (replicas.size() != factor) {
      return fault(
          fmt::format("a partition with {} replica(s), but this is not consistent with "
                      "previous partitions, which have {} replica(s).",
                      replicas.size(), factor));
    }
  }
  return {};
}

// To the core every replica is its own node.
void presented_broker::create_topic(new_topic topic, bool validate_only,
                                    reply<created_topic> done) {
  status checked = check_factor(topic.replication_factor);
  if (checked.ok()) checked = check_named(topic.assignment);
  if (!checked.ok()) return done(std::move(checked.failure()));
  presented_nodes::arrangement shown;
  shown.named = topic.assignment;
  for (auto& replicas : topic.assignment) replicas = {nodes_.id_of(0)};
  if (topic.replication_factor > 1) {
    shown.replicas = static_cast<std::size_t>(topic.replication_factor);
    topic.replication_factor = 1;
  }
  if (!shown.named.empty()) shown.replicas = shown.named.front().size();
  core_.create_topic(std::move(topic), validate_only,
                     [this, shown = std::move(shown), validate_only,
                      done = std::move(done)](result<created_topic> made) mutable {
                       if (made.ok()) {
                         made->replication_factor = static_cast<std::int16_t>(shown.replicas);
                         shown.topic = made->id;
                         if (!validate_only) nodes_.remember(made->name, std::move(shown));
                       }
                       done(std::move(made));
                     });
}

void presented_broker::delete_topic(std::string name, reply<uuid> done) {
  core_.delete_topic(name, [this, name, done = std::move(done)](result<uuid> deleted) mutable {
    if (deleted.ok()) nodes_.forget(name, *deleted);
    done(std::move(deleted));
  });
}

// ---- configs

result<config_resource> presented_broker::to_core(config_resource resource) const {
  const bool is_of_broker =
      resource.type == resource_type::broker || resource.type == resource_type::broker_logger;
  if (!is_of_broker || resource.name.empty()) return resource;
  if (resource.name != fmt::format("{}", mine_)) {
    return make_error(error_code::invalid_argument,
                      "Unexpected broker id, expected {} or empty string, but received {}", mine_,
                      resource.name);
  }
  resource.name = fmt::format("{}", nodes_.id_of(0));
  return resource;
}

result<std::vector<config_entry>> presented_broker::describe_configs(
    const config_resource& resource) {
  TRY_ASSIGN(const config_resource asked, to_core(resource));
  return core_.describe_configs(asked);
}

void presented_broker::alter_configs(config_resource resource,
                                     std::vector<config_alteration> changes, bool validate_only,
                                     reply<std::monostate> done) {
  auto asked = to_core(std::move(resource));
  if (!asked.ok()) return done(std::move(asked.failure()));
  core_.alter_configs(std::move(*asked), std::move(changes), validate_only, std::move(done));
}

// ---- groups

void presented_broker::join_group(join_group_request request, reply<join_group_answer> done) {
  if (auto refused = refuse(request.group)) return done(std::move(*refused));
  core_.join_group(std::move(request), std::move(done));
}

void presented_broker::sync_group(sync_group_request request, reply<sync_group_answer> done) {
  if (auto refused = refuse(request.group)) return done(std::move(*refused));
  core_.sync_group(std::move(request), std::move(done));
}

void presented_broker::heartbeat(group_member_identity from, reply<std::monostate> done) {
  if (auto refused = refuse(from.group)) return done(std::move(*refused));
  core_.heartbeat(std::move(from), std::move(done));
}

void presented_broker::leave_group(std::string group, std::vector<leaving_member> members,
                                   reply<std::vector<std::optional<error>>> done) {
  if (auto refused = refuse(group)) return done(std::move(*refused));
  core_.leave_group(std::move(group), std::move(members), std::move(done));
}

void presented_broker::commit_offsets(offset_commit_request request,
                                      reply<partition_failures> done) {
  if (auto refused = refuse(request.from.group)) return done(std::move(*refused));
  core_.commit_offsets(std::move(request), std::move(done));
}

void presented_broker::fetch_offsets(offset_fetch_request request, reply<fetched_offsets> done) {
  if (auto refused = refuse(request.group)) return done(std::move(*refused));
  core_.fetch_offsets(std::move(request), std::move(done));
}

void presented_broker::delete_offsets(std::string group, std::vector<topic_partition> partitions,
                                      reply<partition_failures> done) {
  if (auto refused = refuse(group)) return done(std::move(*refused));
  core_.delete_offsets(std::move(group), std::move(partitions), std::move(done));
}

void presented_broker::list_groups(reply<std::vector<listed_group>> done) {
  core_.list_groups(
      [this, done = std::move(done)](result<std::vector<listed_group>> found) mutable {
        if (found.ok()) {
          std::erase_if(*found, [&](const listed_group& one) { return refuse(one.group); });
        }
        done(std::move(found));
      });
}

void presented_broker::describe_group(std::string group, reply<described_group> done) {
  if (auto refused = refuse(group)) return done(std::move(*refused));
  core_.describe_group(std::move(group), std::move(done));
}

void presented_broker::delete_group(std::string group, reply<std::monostate> done) {
  if (auto refused = refuse(group)) return done(std::move(*refused));
  core_.delete_group(std::move(group), std::move(done));
}

void presented_broker::consumer_heartbeat(consumer_heartbeat_request request,
                                          reply<consumer_heartbeat_answer> done) {
  if (auto refused = refuse(request.group)) return done(std::move(*refused));
  core_.consumer_heartbeat(std::move(request), std::move(done));
}

void presented_broker::describe_consumer_group(std::string group,
                                               reply<described_consumer_group> done) {
  if (auto refused = refuse(group)) return done(std::move(*refused));
  core_.describe_consumer_group(std::move(group), std::move(done));
}

// ---- the node

cluster_description presented_broker::describe_cluster() {
  cluster_description cluster = core_.describe_cluster();
  cluster.node = mine_;
  return cluster;
}

// The logs of partitions that have a replica here.
void presented_broker::describe_log_directory(std::optional<std::vector<topic_partition>> asked,
                                              reply<log_directory_description> done) {
  const auto is_elsewhere = [this](const partition_usage& one) {
    const auto place = static_cast<std::size_t>(one.name.partition.value());
    return !std::ranges::count(nodes_.replicas_of(one.name.topic, place), mine_);
  };
  core_.describe_log_directory(
      std::move(asked),
      [is_elsewhere, done = std::move(done)](result<log_directory_description> found) mutable {
        if (found.ok()) std::erase_if(found->partitions, is_elsewhere);
        done(std::move(found));
      });
}

}  // namespace ringlog::server
