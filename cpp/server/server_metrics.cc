#include "server/server_metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace ringlog::server {
namespace {
constexpr std::int64_t first_step_ns = 8'000;
constexpr double ns_per_ms = 1e6;
}  // namespace

std::size_t time_histogram::step_of(nanoseconds time) {
  const std::int64_t units = std::max<std::int64_t>(time.count(), 0) / first_step_ns;
  if (units == 0) return 0;
  const int octave = std::bit_width(static_cast<std::uint64_t>(units));  // from 1 on
  const std::int64_t start = first_step_ns << (octave - 1);
  const bool is_upper = time.count() >= start + start / 2;
  return std::min(2 * static_cast<std::size_t>(octave) - (is_upper ? 0 : 1), steps - 1);
}

double time_histogram::end_of_ms(std::size_t step) {
  const double start = static_cast<double>(first_step_ns) / ns_per_ms;
  if (step == 0) return start;
  const auto octave = static_cast<double>((step - 1) / 2);
  const bool is_upper = (step - 1) % 2 != 0;
  return start * std::exp2(octave) * (is_upper ? 2 : 1.5);
}

void time_histogram::add(nanoseconds time) {
  counts_[step_of(time)].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(time.count(), std::memory_order_relaxed);
}

time_histogram::summary time_histogram::summarize(const std::vector<double>& quantiles) const {
  std::array<std::uint64_t, steps> counts{};
  summary made;
  for (std::size_t i = 0; i < steps; ++i) made.count += counts[i] = counts_[i];
  made.sum_ms = static_cast<double>(sum_ns_.load()) / ns_per_ms;
  for (const double quantile : quantiles) {
    const auto rank =
        static_cast<std::uint64_t>(std::ceil(quantile * static_cast<double>(made.count)));
    std::uint64_t passed = 0;
    std::size_t step = 0;
    while (step + 1 < steps && (passed += counts[step]) < rank) ++step;
    made.quantiles_ms.push_back(made.count == 0 ? 0 : end_of_ms(step));
  }
  return made;
}

std::shared_ptr<topic_counts> server_metrics::counts_of(std::string_view topic) {
  const std::lock_guard lock(mutex_);
  const auto found = by_topic_.find(topic);
  if (found != by_topic_.end()) return found->second;
  if (by_topic_.size() >= limits::counted_topics_max) return others_;
  return by_topic_.emplace(topic, std::make_shared<topic_counts>()).first->second;
}

std::shared_ptr<topic_counts> server_metrics::known_counts_of(std::string_view topic) {
  const std::lock_guard lock(mutex_);
  const auto found = by_topic_.find(topic);
  return found == by_topic_.end() ? others_ : found->second;
}

void server_metrics::produced(std::string_view topic, std::int64_t messages, std::size_t bytes) {
  const auto counts = counts_of(topic);
  ++counts->produce_requests;
  counts->messages_in += static_cast<std::uint64_t>(messages);
  counts->bytes_in += bytes;
}

void server_metrics::produce_failed(std::string_view topic) {
  const auto counts = known_counts_of(topic);
  ++counts->produce_requests;
  ++counts->failed_produce_requests;
}

void server_metrics::fetched(std::string_view topic, std::size_t bytes) {
  const auto counts = counts_of(topic);
  ++counts->fetch_requests;
  counts->bytes_out += bytes;
}

void server_metrics::fetch_failed(std::string_view topic) {
  const auto counts = known_counts_of(topic);
  ++counts->fetch_requests;
  ++counts->failed_fetch_requests;
}

void server_metrics::answered(std::int16_t api_key, nanoseconds time) {
  const auto place = static_cast<std::size_t>(api_key);
  CHECK(place < api_keys_max, "more API keys than there is room for", api_key);
  by_api_[place].add(time);
}

const time_histogram& server_metrics::of_api(std::int16_t api_key) const {
  return by_api_.at(static_cast<std::size_t>(api_key));
}

std::vector<std::pair<std::string, std::shared_ptr<const topic_counts>>> server_metrics::by_topic()
    const {
  std::vector<std::pair<std::string, std::shared_ptr<const topic_counts>>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [topic, counts] : by_topic_) all.emplace_back(topic, counts);
  }
  std::ranges::sort(all, {}, &std::pair<std::string, std::shared_ptr<const topic_counts>>::first);
  all.emplace_back("", others_);
  return all;
}

}  // namespace ringlog::server
