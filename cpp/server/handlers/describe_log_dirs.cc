#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_directory = protocol::describe_log_dirs_response::result;

std::optional<std::vector<topic_partition>> partitions_of(
    const protocol::describe_log_dirs_request& request) {
  if (!request.topics) return std::nullopt;
  std::vector<topic_partition> all;
  for (const auto& topic : *request.topics) {
    for (const std::int32_t partition : topic.partitions) {
      all.push_back(make_partition(topic.topic, partition));
    }
  }
  return all;
}

// Partitions of one topic follow one another.
void fill(const broker::log_directory_description& found, answered_directory& target) {
  constexpr std::int64_t unknown = -1;
  target.total_bytes = found.total_bytes.value_or(unknown);
  target.usable_bytes = found.usable_bytes.value_or(unknown);
  for (const broker::partition_usage& log : found.partitions) {
    if (target.topics.empty() || target.topics.back().name != log.name.topic) {
      target.topics.emplace_back().name = log.name.topic;
    }
    auto& shown = target.topics.back().partitions.emplace_back();
    shown.partition_index = log.name.partition.value();
    shown.partition_size = log.bytes;
  }
}

}  // namespace

void describe_log_dirs(describe_log_dirs_call call) {
  answered_directory& target = call->response.results.emplace_back();
  target.log_dir = call->core().describe_cluster().log_directory;
  target.error_code = not_answered;
  call->core().describe_log_directory(partitions_of(call->request),
                                      [call, &target](const auto& found) {
                                        target.error_code = code_of(found);
                                        if (found.ok()) fill(*found, target);
                                      });
}

}  // namespace ringlog::server::handlers
