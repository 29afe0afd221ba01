#include "model/topic_name.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using answered_partition = protocol::describe_quorum_response::partition_data;

void fill(const describe_quorum_call& call, const broker::quorum_description& quorum,
          answered_partition& target) {
  target.leader_id = quorum.leader.value();
  target.leader_epoch = quorum.leader_epoch.value();
  target.high_watermark = quorum.high_watermark.value();
  auto& voter = target.current_voters.emplace_back();
  voter.replica_id = quorum.leader.value();
  if (call->version() >= 2) voter.replica_directory_id = quorum.directory_id;
  voter.log_end_offset = quorum.high_watermark.value();
  voter.last_fetch_timestamp = voter.last_caught_up_timestamp = quorum.now_timestamp;
}

// There is no listener for controllers: where clients reach it, the quorum's leader is, too.
void add_node(const describe_quorum_call& call, node_id_t leader) {
  auto& node = call->response.nodes.emplace_back();
  node.node_id = leader.value();
  auto& listener = node.listeners.emplace_back();
  listener.name = "PLAINTEXT";
  const auto broker = find_broker(*call, leader);
  if (!broker) return;
  listener.host = broker->host;
  listener.port = static_cast<std::uint16_t>(broker->port);
}

}  // namespace

void describe_quorum(describe_quorum_call call) {
  const broker::quorum_description quorum = call->core().describe_quorum();
  call->response.error_message = "";
  pair_up(call->request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.topic_name = topic.topic_name;
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      target.error_message = "";
      if (topic.topic_name == model::cluster_metadata_topic && asked.partition_index == 0) {
        fill(call, quorum, target);
        const bool has_nodes = call->version() >= 2;
        if (has_nodes && call->response.nodes.empty()) add_node(call, quorum.leader);
      } else {
        target.error_code = code_of(model::kafka_error::unknown_topic_or_partition);
        target.error_message = partition_not_here;
      }
    });
  });
}

}  // namespace ringlog::server::handlers
