#include <algorithm>

#include "base/parse.h"
#include "broker/creation_limits.h"
#include "model/topic_name.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using asked_topic = protocol::create_topics_request::creatable_topic;
using answered_topic = protocol::create_topics_response::topic_result;

// Replicas by partition, which are numbered from 0 without a gap.
result<std::vector<std::vector<node_id_t>>> assignment_of(const asked_topic& asked) {
  std::vector<std::vector<node_id_t>> replicas(asked.assignments.size());
  std::vector<bool> is_named(replicas.size());
  for (const auto& given : asked.assignments) {
    const auto place = static_cast<std::size_t>(given.partition_index);
    if (given.partition_index < 0 || place >= replicas.size() || is_named[place]) {
      return make_error(error_code::invalid_replica_assignment,
                        "partitions should be a consecutive 0-based integer sequence");
    }
    is_named[place] = true;
    replicas[place] = nodes_of(given.broker_ids);
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

void create(const create_topics_call& call, const asked_topic& asked, answered_topic& target) {
  auto topic = translate(asked);
  if (!topic.ok()) return refuse(target, topic.failure());
  target.error_code = not_answered;
  call->core().create_topic(
      std::move(*topic), call->request.validate_only,
      [call, &target](result<broker::created_topic> made) {
        if (!made.ok()) return refuse(target, made.failure());
        // What thousands of topics show takes longer than the engine has.
        call->shared().engine.post_aside(
            [call, &target, made = std::move(*made)] { fill(call, made, target); });
      });
}

// num.partitions
std::int64_t default_partitions(broker::broker& core) {
  const std::string id = fmt::format("{}", core.describe_cluster().node);
  const auto configs = core.describe_configs({broker::resource_type::broker, id});
  if (!configs.ok()) return 1;
  const auto found = std::ranges::find(*configs, "num.partitions", &broker::config_entry::name);
  if (found == configs->end() || !found->value) return 1;
  return parse_integer<std::int64_t>(*found->value).value_or(1);
}

// Topics that will be refused for themselves count, too.
broker::creation_total total_of(const create_topics_call& call,
                                const std::vector<named_once<asked_topic>>& named) {
  broker::creation_total total;
  std::optional<std::int64_t> by_default;
  for (const auto& [asked, count] : named) {
    if (count > 1 || asked->name == model::cluster_metadata_topic) continue;
    std::int64_t partitions = asked->num_partitions;
    if (!asked->assignments.empty()) {
      partitions = static_cast<std::int64_t>(asked->assignments.size());
    } else if (partitions == -1) {
      if (!by_default) by_default = default_partitions(call->core());
      partitions = *by_default;
    }
    partitions = std::max<std::int64_t>(partitions, 0);
    total.partitions += partitions;
    total.records += 1 + static_cast<std::int64_t>(asked->configs.size()) + partitions;
  }
  return total;
}

}  // namespace

void create_topics(create_topics_call call) {
  const auto named = once_by_name(call->request.topics);
  const auto excess = total_of(call, named).excess();
  pair_up(named, call->response.topics, [&](const auto& one, auto& target) {
    target.name = one.first->name;
    target.error_message.reset();
    if (one.count > 1) return refuse(target, named_twice());
    if (excess) return refuse(target, *excess);
    create(call, *one.first, target);
  });
}

}  // namespace ringlog::server::handlers
