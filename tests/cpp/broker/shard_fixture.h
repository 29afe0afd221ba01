#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/group/group_shard.h"
#include "broker/memory_coordinator_log.h"
#include "broker/simulated_time.h"

namespace ringlog::broker {

// Topics as a test says they are.
class topic_table final : public metadata_lookup {
 public:
  std::map<std::string, std::pair<uuid, std::int32_t>> topics;  // id and partitions

  std::optional<uuid> find_id(const topic_partition& tp) const override {
    const auto found = topics.find(tp.topic);
    if (found == topics.end() || tp.partition.value() >= found->second.second) return std::nullopt;
    return found->second.first;
  }
  std::optional<std::string> find_name(const uuid& id) const override {
    for (const auto& [name, topic] : topics) {
      if (topic.first == id) return name;
    }
    return std::nullopt;
  }
  std::optional<topic_shape> find_shape(const std::string& topic) const override {
    const auto found = topics.find(topic);
    if (found == topics.end()) return std::nullopt;
    return topic_shape{found->second.first, found->second.second};
  }
  std::vector<std::string> topic_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, topic] : topics) names.push_back(name);
    return names;
  }
  std::uint64_t version() const override { return changes; }
  std::optional<std::int64_t> find_group_config(const std::string& group,
                                                const std::string& name) const override {
    const auto found = group_configs.find({group, name});
    if (found == group_configs.end()) return std::nullopt;
    return found->second;
  }

  std::uint64_t changes = 1;  // to be raised with every change
  std::map<std::pair<std::string, std::string>, std::int64_t> group_configs;
};

// The answer of a call with a reply, when it has come.
template <typename T>
class pending {
 public:
  auto reply() {
    return [got = got_](result<T> answer) { *got = std::move(answer); };
  }
  bool is_there() const { return got_->has_value(); }
  bool is_ok() const { return is_there() && (**got_).ok(); }
  T& ok() { return (**got_).value(); }
  error_code code() { return (**got_).code(); }

 private:
  std::shared_ptr<std::optional<result<T>>> got_ = std::make_shared<std::optional<result<T>>>();
};

template <>
class pending<void> {
 public:
  auto reply() {
    return [got = got_](const status& answer) { *got = answer; };
  }
  bool is_there() const { return got_->has_value(); }
  bool is_ok() const { return is_there() && (**got_).ok(); }
  error_code code() { return (**got_).code(); }

 private:
  std::shared_ptr<std::optional<status>> got_ = std::make_shared<std::optional<status>>();
};

// A shard over a log in memory, with time in the test's hands.
struct shard_world {
  explicit shard_world(std::uint64_t seed, std::int64_t wall_ms = 1'800'000'000'000)
      : time(wall_ms),
        random(seed),
        log(std::make_shared<memory_coordinator_log>(time, time, random)) {
    topics.topics["t"] = {uuid::make_random(random), 4};
  }

  std::shared_ptr<group_shard> open() { return open_over(log); }
  std::shared_ptr<group_shard> open_over(std::shared_ptr<coordinator_log> source) {
    auto shard = std::make_shared<group_shard>(
        std::move(source), shard_services{settings, time, random, time, sink, topics});
    pending<void> loaded;
    shard->when_loaded(loaded.reply());
    time.settle();
    EXPECT_TRUE(loaded.is_ok());
    return shard;
  }

  stored_offset offset(std::int64_t value, std::string metadata = "") const {
    stored_offset made;
    made.position = {offset_t(value), leader_epoch_t(0), std::move(metadata)};
    made.commit_timestamp = time.wall_ms();
    made.topic_id = topics.topics.at("t").first;
    return made;
  }

  simulated_time time;
  seeded_random random;
  null_log_sink sink;
  group_settings settings;
  topic_table topics;
  std::shared_ptr<memory_coordinator_log> log;
};

inline void leave_group(group_shard& shard, const std::string& member) {
  shard.leave("g", {{member, std::nullopt, ""}}, [](const auto& left) { EXPECT_TRUE(left.ok()); });
}

inline topic_partition partition_of_t(std::int32_t partition) {
  return {"t", partition_id_t(partition)};
}

}  // namespace ringlog::broker
