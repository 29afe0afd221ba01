#include <utility>

#include "base/hash_map.h"
#include "model/topic_name.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using asked_topic = protocol::metadata_request::topic;
using answered_topic = protocol::metadata_response::topic;

void describe(const metadata_call& call, const broker::topic_description& source,
              answered_topic& target) {
  target.error_code = 0;
  target.name = source.name;
  target.topic_id = source.id;
  target.is_internal = source.internal;
  if (call->request.include_topic_authorized_operations) {
    target.topic_authorized_operations = authorized_operations::topic;
  }
  for (const broker::partition_description& partition : source.partitions) {
    show_partition(partition, target.partitions.emplace_back());
  }
}

void answer_by_id(const metadata_call& call, const uuid& id, answered_topic& target) {
  target.topic_id = id;
  if (const auto found = call->core().find_topic(id)) return describe(call, *found, target);
  target.error_code = code_of(model::kafka_error::unknown_topic_id);
  if (call->version() >= 12) target.name.reset();
}

void answer_by_name(const metadata_call& call, std::string name, answered_topic& target) {
  target.name = name;
  const status valid = model::validate_topic_name(name);
  if (!valid.ok()) {
    target.error_code = code_of(valid);
  } else if (const auto found = call->core().find_topic(name)) {
    describe(call, *found, target);
  } else if (!call->request.allow_auto_topic_creation) {
    target.error_code = code_of(model::kafka_error::unknown_topic_or_partition);
  } else {
    target.error_code = not_answered;
    call->core().ensure_topic(std::move(name), [call, &target](const auto& made) {
      target.error_code = code_of(made);
      if (made.ok()) describe(call, *made, target);
    });
  }
}

// A topic that is named again and again is answered once, as in Kafka.
std::vector<const asked_topic*> asked_once(const std::vector<asked_topic>& all) {
  std::vector<const asked_topic*> once;
  hash_set<std::pair<uuid, std::string_view>> known;
  for (const asked_topic& one : all) {
    if (known.emplace(one.topic_id, one.name.value_or("")).second) once.push_back(&one);
  }
  return once;
}

}  // namespace

void metadata(metadata_call call) {
  const protocol::metadata_request& request = call->request;
  protocol::metadata_response& response = call->response;
  const auto cluster = call->core().describe_cluster();
  for (shown_broker& one : brokers_of(*call)) {
    response.brokers.push_back({one.id, std::move(one.host), one.port, std::nullopt, {}});
  }
  response.cluster_id = cluster.cluster_id;
  response.controller_id = cluster.controller.value();
  if (request.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = authorized_operations::cluster;
  }
  const bool wants_all = !request.topics || (call->version() == 0 && request.topics->empty());
  if (wants_all) {
    for (const auto& topic : call->core().list_topics()) {
      describe(call, topic, response.topics.emplace_back());
    }
    return;
  }
  pair_up(asked_once(*request.topics), response.topics, [&](const auto* wanted, auto& target) {
    if (wanted->topic_id.is_zero()) {
      answer_by_name(call, std::string(wanted->name.value_or("")), target);
    } else {
      answer_by_id(call, wanted->topic_id, target);
    }
  });
}

}  // namespace ringlog::server::handlers
