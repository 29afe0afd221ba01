#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/hash_map.h"
#include "client/builder_store.h"
#include "client/partition_queue.h"
#include "client/producer.h"
#include "client/unsent_memory.h"

namespace ringlog::client {

// A topic as its producer knows it: nothing before the first refresh(). Partitions only come; their
// queues stay where they are.
class producer_topic {
 public:
  producer_topic(producer_core& core, std::string name);

  const std::string& name() const { return name_; }

  using partition_list = std::vector<partition_queue*>;
  const partition_list& partitions() const { return *current_.load(std::memory_order_acquire); }
  std::size_t batch_bytes_max() const { return batch_bytes_max_.load(std::memory_order_relaxed); }

  // Looks again at partitions and configs when the metadata changed since the last time. False
  // when there is no such topic now; else there are partitions(), for every thread.
  bool refresh();

  partition_queue* sticky(std::uint64_t random);
  void leave_sticky(const partition_queue* left);

  // Every queue there ever was.
  void for_each_queue(const std::function<void(partition_queue&)>& visit);

 private:
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  void look();
  void take_partitions(std::size_t count);
  void take_configs(const result<std::vector<broker::config_entry>>& configs);

  producer_core& core_;
  const std::string name_;
  std::atomic<const partition_list*> current_;
  std::atomic<std::size_t> batch_bytes_max_;
  std::atomic<std::uint64_t> seen_version_{never};
  std::atomic<bool> exists_{false};
  std::atomic<partition_queue*> sticky_{nullptr};

  std::mutex mutex_;  // guards the two lists, which only grow
  std::vector<std::unique_ptr<partition_queue>> queues_;
  std::vector<std::unique_ptr<const partition_list>> lists_;
};

// What outlives a producer object until its records have their outcome: topics, their queues, the
// room for unsent records, producer ids. Replies and timers on their way hold it. Any thread.
class producer_core : public std::enable_shared_from_this<producer_core> {
 public:
  producer_core(std::shared_ptr<transport> over, producer_options options);

  const producer_options& options() const { return options_; }
  transport& over() { return *over_; }
  unsent_memory& memory() { return memory_; }
  builder_store& spare_builders() { return spare_builders_; }

  bool closed() const { return closed_.load(std::memory_order_acquire); }
  void set_closed() { closed_.store(true, std::memory_order_release); }

  producer_topic* find_topic(std::string_view name);
  producer_topic* add_topic(std::string_view name);
  void for_each_queue(const std::function<void(partition_queue&)>& visit);

  // Uniform; cheap enough for every record.
  std::uint64_t random();

  // Answers queue.set_identity or refuse_identity, now or later. The first id serves all
  // partitions; `fresh` asks for another one, for this partition alone.
  void ask_identity(partition_queue& queue, bool fresh);

  // Batches without an outcome; while there are any, their age is watched.
  void batch_opened();
  void batch_finished() { unfinished_.fetch_sub(1); }

 private:
  void request_identity(std::function<void(const result<broker::producer_identity>&)> take);
  void watch_age();

  const std::shared_ptr<transport> over_;
  const producer_options options_;
  unsent_memory memory_;
  builder_store spare_builders_;
  std::atomic<bool> closed_{false};
  std::atomic<std::uint64_t> random_;
  std::atomic<std::int64_t> unfinished_{0};
  std::atomic<bool> watching_{false};

  std::mutex mutex_;  // guards what follows
  text_map<std::unique_ptr<producer_topic>> topics_;
  std::optional<broker::producer_identity> identity_;
  std::vector<partition_queue*> waiting_for_identity_;
};

}  // namespace ringlog::client
