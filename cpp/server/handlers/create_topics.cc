#include "base/hash_map.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using asked_topic = protocol::create_topics_request::creatable_topic;
using answered_topic = protocol::create_topics_response::topic_result;

void refuse(answered_topic& target, const error& why) {
  target.error_code = code_of(std::optional(why));
  target.error_message = why.message;
}

// Replicas by partition, which are numbered from 0 without a gap.
result<std::vector<std::vector<node_id_t>>> assignment_of(const asked_topic& asked) {
  std::vector<std::vector<node_id_t>> replicas(asked.assignments.size());
  for (const auto& given : asked.assignments) {
    const auto place = static_cast<std::size_t>(given.partition_index);
    if (given.partition_index < 0 || place >= replicas.size() || !replicas[place].empty()) {
      return make_error(error_code::invalid_replica_assignment,
                        "partitions should be a consecutive 0-based integer sequence");
    }
    for (const std::int32_t node : given.broker_ids) replicas[place].emplace_back(node);
  }
  return replicas;
}

result<broker::new_topic> translate(const asked_topic& asked) {
  broker::new_topic topic;
  topic.name = asked.name;
  topic.partitions = asked.num_partitions;
  topic.replication_factor = asked.replication_factor;
  TRY_ASSIGN(topic.assignment, assignment_of(asked));
  for (const auto& config : asked.configs) {
    if (!config.value) {
      return make_error(error_code::invalid_config,
                        "Null value not supported for topic configs: {}", config.name);
    }
    topic.configs.insert_or_assign(std::string(config.name), std::string(*config.value));
  }
  return topic;
}

void fill(const create_topics_call& call, const broker::created_topic& made,
          answered_topic& target) {
  target.error_code = 0;
  target.topic_id = made.id;
  target.num_partitions = made.partitions;
  target.replication_factor = made.replication_factor;
  const auto configs = call->core().describe_configs({broker::resource_type::topic, target.name});
  if (!configs.ok()) return;  // it is only checked, or gone again
  for (const broker::config_entry& entry : *configs) {
    target.configs->push_back({entry.name,
                               entry.value,
                               entry.read_only,
                               static_cast<std::int8_t>(entry.source),
                               entry.sensitive,
                               {}});
  }
}

// A name, and how often the request has it: it is answered once.
struct named_topic {
  const asked_topic* first;
  std::size_t count = 1;
};

std::vector<named_topic> by_name(const std::vector<asked_topic>& all) {
  std::vector<named_topic> names;
  hash_map<std::string_view, std::size_t> places;
  for (const asked_topic& one : all) {
    const auto [known, is_new] = places.try_emplace(one.name, names.size());
    if (is_new) {
      names.push_back({&one});
    } else {
      ++names[known->second].count;
    }
  }
  return names;
}

void create(const create_topics_call& call, const named_topic& named, answered_topic& target) {
  const asked_topic& asked = *named.first;
  target.name = asked.name;
  target.error_message.reset();
  if (named.count > 1) {
    return refuse(target, {error_code::invalid_argument, "Duplicate topic name."});
  }
  auto topic = translate(asked);
  if (!topic.ok()) return refuse(target, topic.failure());
  target.error_code = not_answered;
  call->core().create_topic(std::move(*topic), call->request.validate_only,
                            [call, &target](const auto& made) {
                              if (!made.ok()) return refuse(target, made.failure());
                              fill(call, *made, target);
                            });
}

}  // namespace

void create_topics(create_topics_call call) {
  pair_up(by_name(call->request.topics), call->response.topics,
          [&](const named_topic& named, auto& target) { create(call, named, target); });
}

}  // namespace ringlog::server::handlers
