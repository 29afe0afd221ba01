#include "broker/log_directory.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace ringlog::broker {
namespace {

std::vector<topic_partition> all_partitions(const metadata::image& image) {
  std::vector<topic_partition> all;
  image.topics->for_each([&](const metadata::topic_ptr& topic) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      all.push_back({topic->name, partition_id_t(static_cast<std::int32_t>(i))});
    }
  });
  std::ranges::sort(all);
  return all;
}

std::vector<topic_partition> existing(const metadata::image& image,
                                      const std::vector<topic_partition>& asked) {
  const std::set<topic_partition> once(asked.begin(), asked.end());
  std::vector<topic_partition> found;
  for (const topic_partition& name : once) {
    const auto topic = image.find_topic(name.topic);
    const bool exists = topic != nullptr && topic->find_partition(name.partition) != nullptr;
    if (exists) found.push_back(name);
  }
  return found;
}

// Volumes may be larger than Kafka's number (JDK-8162520).
std::int64_t to_number(std::uint64_t bytes) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(std::min(bytes, most));
}

}  // namespace

void describe_log_directory(const broker_services& outside,
                            const std::optional<std::vector<topic_partition>>& asked,
                            reply<log_directory_description> done) {
  const auto image = outside.controller.published();
  auto names = asked ? existing(*image, *asked) : all_partitions(*image);
  log_directory_description described;
  described.path = outside.logs.directory();
  for (const topic_partition& name : names) described.partitions.push_back({name});
  outside.logs.measure(std::move(names),
                       [described = std::move(described), done = std::move(done)](
                           const result<storage::directory_usage>& usage) mutable {
                         if (!usage.ok()) return done(usage.failure());
                         for (std::size_t i = 0; i < usage->log_bytes.size(); ++i) {
                           described.partitions[i].bytes = usage->log_bytes[i];
                         }
                         if (usage->volume) {
                           described.total_bytes = to_number(usage->volume->total_bytes);
                           described.usable_bytes = to_number(usage->volume->available_bytes);
                         }
                         done(std::move(described));
                       });
}

}  // namespace ringlog::broker
