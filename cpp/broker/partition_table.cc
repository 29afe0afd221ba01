#include "broker/partition_table.h"

namespace ringlog::broker {

error unknown_partition(const topic_partition& tp) {
  return make_error(error_code::unknown_topic_or_partition,
                    "This server does not host this topic-partition: {}", tp.to_string());
}

partition_table::partition_table(broker_services outside, config_service& configs)
    : outside_(outside),
      configs_(configs),
      no_room_(std::make_shared<room_queue>(outside.engine, outside.time)) {}

// Null: it is not there.
result<std::shared_ptr<partition>> partition_table::find_in_table(const topic_partition& tp) const {
  const std::lock_guard guard(mutex_);
  if (closed_) return *closed_;
  const auto found = partitions_.find(tp);
  return found == partitions_.end() ? nullptr : found->second;
}

// The topic of a partition that there is.
result<metadata::topic_ptr> partition_table::topic_of(const topic_partition& tp) const {
  auto topic = outside_.controller.published()->find_topic(tp.topic);
  if (topic == nullptr || topic->find_partition(tp.partition) == nullptr) {
    return unknown_partition(tp);
  }
  return topic;
}

result<std::shared_ptr<partition>> partition_table::find_open(const topic_partition& tp) {
  TRY_ASSIGN(auto open, find_in_table(tp));
  if (open == nullptr) TRY(topic_of(tp));
  return open;
}

result<std::shared_ptr<partition>> partition_table::find(const topic_partition& tp) {
  TRY_ASSIGN(auto open, find_in_table(tp));
  if (open != nullptr) return open;
  TRY_ASSIGN(const auto topic, topic_of(tp));
  // Outside the mutex: this may read files. Whoever comes first puts it into the table.
  const storage::log_config config = configs_.log_config_of(tp.topic);
  auto log = outside_.logs.open_log(tp, topic->id, config);
  if (!log.ok() && log.code() == error_code::foreign_directory) {
    // Left from an earlier topic of that name: what this topic has would be open.
    TRY(outside_.logs.set_aside(tp));
    log = outside_.logs.open_log(tp, topic->id, config);
  }
  if (!log.ok()) return std::move(log.failure());
  auto made = std::make_shared<partition>(std::move(log).value(), outside_, no_room_);
  const std::lock_guard guard(mutex_);
  if (closed_) return *closed_;
  // A topic deleted meanwhile may have been forgotten already; one that still stands here is
  // forgotten after this.
  const auto still = outside_.controller.published()->find_topic(tp.topic);
  if (still == nullptr || still->id != topic->id) return unknown_partition(tp);
  const auto [place, is_new] = partitions_.try_emplace(tp, std::move(made));
  if (is_new) place->second->start();
  // They may have changed since they were read.
  const storage::log_config now = configs_.log_config_of(tp.topic);
  if (is_new && now != place->second->log().config()) place->second->log().set_config(now);
  return place->second;
}

status partition_table::check_leader_epoch(const topic_partition& tp,
                                           leader_epoch_t current) const {
  if (current == no_leader_epoch) return {};
  TRY_ASSIGN(const auto topic, topic_of(tp));
  const leader_epoch_t ours = topic->find_partition(tp.partition)->leader_epoch;
  if (current < ours) {
    return make_error(error_code::fenced_leader_epoch,
                      "{} is at leader epoch {}, the request at {}: refresh the metadata",
                      tp.to_string(), ours, current);
  }
  if (current > ours) {
    return make_error(error_code::unknown_leader_epoch,
                      "{} is at leader epoch {}, the request at {}", tp.to_string(), ours, current);
  }
  return {};
}

std::vector<std::shared_ptr<partition>> partition_table::opened() const {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<partition>> all;
  for (const auto& [name, opened] : partitions_) all.push_back(opened);
  return all;
}

void partition_table::forget(const metadata::topic_state& deleted) {
  for (std::size_t i = 0; i < deleted.partitions.size(); ++i) {
    const topic_partition tp{deleted.name, partition_id_t(static_cast<std::int32_t>(i))};
    std::shared_ptr<partition> forgotten;
    {
      const std::lock_guard guard(mutex_);
      const auto found = partitions_.find(tp);
      if (found == partitions_.end() || found->second->log().topic_id() != deleted.id) continue;
      forgotten = std::move(found->second);
      partitions_.erase(found);
    }
    forgotten->close(unknown_partition(tp));
  }
}

void partition_table::close(const error& why) {
  hash_map<topic_partition, std::shared_ptr<partition>> closing;
  {
    const std::lock_guard guard(mutex_);
    closed_ = why;
    closing.swap(partitions_);
  }
  for (const auto& [name, opened] : closing) opened->close(why);
}

}  // namespace ringlog::broker
