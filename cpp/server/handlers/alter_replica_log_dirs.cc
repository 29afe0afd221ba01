#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using model::kafka_error;

// Kafka moves a log by way of a directory of this name.
std::size_t size_of_future_name(std::string_view topic, std::int32_t partition) {
  constexpr std::size_t unique_size = 32;
  return fmt::formatted_size("{}-{}.{:{}}-future", topic, partition, "", unique_size);
}

// There is one directory, and every partition is in it.
kafka_error outcome_of(bool is_our_directory, std::string_view topic, std::int32_t partition,
                       std::int32_t partition_count) {
  constexpr std::size_t file_name_size_max = 255;
  if (size_of_future_name(topic, partition) > file_name_size_max) {
    return kafka_error::invalid_topic_exception;
  }
  if (!is_our_directory) return kafka_error::log_dir_not_found;
  const bool exists = partition >= 0 && partition < partition_count;
  return exists ? kafka_error::none : kafka_error::unknown_topic_or_partition;
}

}  // namespace

void alter_replica_log_dirs(alter_replica_log_dirs_call call) {
  const std::string ours = call->core().describe_cluster().log_directory;
  for (const auto& directory : call->request.dirs) {
    for (const auto& topic : directory.topics) {
      const std::int32_t count = partition_count(call->core(), topic.name);
      auto& answered = call->response.results.emplace_back();
      answered.topic_name = topic.name;
      pair_up(topic.partitions, answered.partitions, [&](std::int32_t asked, auto& target) {
        target.partition_index = asked;
        target.error_code = code_of(outcome_of(directory.path == ours, topic.name, asked, count));
      });
    }
  }
}

}  // namespace ringlog::server::handlers
