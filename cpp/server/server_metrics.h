#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash_map.h"

namespace ringlog::server {

// How long things took, in steps of a half power of two from 8 µs on: a quantile is at most 42 %
// too large. Any thread.
class time_histogram {
 public:
  void add(nanoseconds time);

  struct summary {
    std::uint64_t count = 0;
    double sum_ms = 0;
    std::vector<double> quantiles_ms;  // as asked for
  };
  summary summarize(const std::vector<double>& quantiles) const;

 private:
  static constexpr std::size_t steps = 48;
  static std::size_t step_of(nanoseconds time);
  static double end_of_ms(std::size_t step);

  std::array<std::atomic<std::uint64_t>, steps> counts_{};
  std::atomic<std::int64_t> sum_ns_ = 0;
};

// What went through one topic (Kafka: BrokerTopicMetrics).
struct topic_counts {
  std::atomic<std::uint64_t> messages_in = 0;
  std::atomic<std::uint64_t> bytes_in = 0;
  std::atomic<std::uint64_t> bytes_out = 0;
  std::atomic<std::uint64_t> produce_requests = 0;
  std::atomic<std::uint64_t> fetch_requests = 0;
  std::atomic<std::uint64_t> failed_produce_requests = 0;
  std::atomic<std::uint64_t> failed_fetch_requests = 0;
};

// What a server counts, from its start on, for those who watch it. Any thread.
class server_metrics {
 public:
  // One record batch was sent to the topic.
  void produced(std::string_view topic, std::int64_t messages, std::size_t bytes);
  void produce_failed(std::string_view topic);
  void fetched(std::string_view topic, std::size_t bytes);
  void fetch_failed(std::string_view topic);

  // A request was answered, so long after it had begun.
  void answered(std::int16_t api_key, nanoseconds time);

  // Of topics in the order of their names; the last one, "", is all others'.
  std::vector<std::pair<std::string, std::shared_ptr<const topic_counts>>> by_topic() const;

  const time_histogram& of_api(std::int16_t api_key) const;

 private:
  std::shared_ptr<topic_counts> counts_of(std::string_view topic);
  // Who fails may name topics that do not exist: they are the others.
  std::shared_ptr<topic_counts> known_counts_of(std::string_view topic);

  static constexpr std::size_t api_keys_max = 128;
  std::array<time_histogram, api_keys_max> by_api_;
  mutable std::mutex mutex_;  // guards the maps, not what they count
  text_map<std::shared_ptr<topic_counts>> by_topic_;
  const std::shared_ptr<topic_counts> others_ = std::make_shared<topic_counts>();
};

}  // namespace ringlog::server

namespace ringlog::limits {

// Topics that are counted each for itself.
inline constexpr std::size_t counted_topics_max = 10'000;

}  // namespace ringlog::limits
