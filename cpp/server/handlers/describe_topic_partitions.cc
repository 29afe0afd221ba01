#include <algorithm>

#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

// Kafka's max.request.partition.size.limit.
constexpr std::int32_t partitions_per_page_max = 2'000;

using answered_topic = protocol::describe_topic_partitions_response::topic;
using position = protocol::describe_topic_partitions_response::position;

// The names asked for, or all, from the cursor on.
std::vector<std::string> names_of(const describe_topic_partitions_call& call) {
  const protocol::describe_topic_partitions_request& request = call->request;
  std::vector<std::string> names;
  for (const auto& topic : request.topics) names.emplace_back(topic.name);
  if (names.empty()) {
    for (auto& topic : call->core().list_topics()) names.push_back(std::move(topic.name));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  if (request.cursor) {
    std::erase_if(names,
                  [&](const std::string& name) { return name < request.cursor->topic_name; });
  }
  return names;
}

void add_partition(const broker::partition_description& source, answered_topic& target) {
  auto& shown = target.partitions.emplace_back();
  show_partition(source, shown);
  shown.eligible_leader_replicas.emplace();
  shown.last_known_elr.emplace();
}

// How many partitions of the topic come before the page.
std::size_t first_of(const describe_topic_partitions_call& call, const std::string& name) {
  const auto& cursor = call->request.cursor;
  if (!cursor || cursor->topic_name != name) return 0;
  return static_cast<std::size_t>(std::max(cursor->partition_index, 0));
}

}  // namespace

void describe_topic_partitions(describe_topic_partitions_call call) {
  protocol::describe_topic_partitions_response& response = call->response;
  std::int32_t room =
      std::clamp(call->request.response_partition_limit, 1, partitions_per_page_max);
  for (const std::string& name : names_of(call)) {
    const auto found = call->core().find_topic(name);
    if (found && room == 0) {
      response.next_cursor = position{name, 0, {}};
      return;
    }
    answered_topic& target = response.topics.emplace_back();
    target.name = name;
    if (!found) {
      target.error_code = code_of(model::kafka_error::unknown_topic_or_partition);
      continue;
    }
    target.topic_id = found->id;
    target.is_internal = found->internal;
    target.topic_authorized_operations = authorized_operations::topic;
    for (std::size_t i = first_of(call, name); i < found->partitions.size(); ++i) {
      if (room-- == 0) {
        response.next_cursor = position{name, static_cast<std::int32_t>(i), {}};
        return;
      }
      add_partition(found->partitions[i], target);
    }
  }
}

}  // namespace ringlog::server::handlers
