#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

// Special timestamps about tiered storage (KIP-405, KIP-1005, KIP-1023). All is local here.
constexpr std::int64_t earliest_local = -4;
constexpr std::int64_t latest_tiered = -5;
constexpr std::int64_t earliest_pending_upload = -6;

void look_up(const list_offsets_call& call, topic_partition source,
             const protocol::list_offsets_request::partition& asked,
             protocol::list_offsets_response::partition_response& target) {
  const std::int64_t timestamp = asked.timestamp;
  if (timestamp == latest_tiered || timestamp == earliest_pending_upload) return;
  target.error_code = not_answered;
  broker::list_offset_request wanted;
  wanted.source = std::move(source);
  wanted.timestamp = timestamp == earliest_local ? broker::earliest_timestamp : timestamp;
  wanted.current_leader_epoch = leader_epoch_t(asked.current_leader_epoch);
  wanted.isolation = to_isolation(call->request.isolation_level);
  call->core().list_offset(std::move(wanted), [call, &target](const auto& found) {
    target.error_code = code_of(found);
    if (!found.ok()) return;
    target.offset = found->offset.value();
    target.timestamp = found->timestamp;
    if (call->version() >= 4) target.leader_epoch = found->leader_epoch.value();
  });
}

}  // namespace

void list_offsets(list_offsets_call call) {
  pair_up(call->request.topics, call->response.topics, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    pair_up(topic.partitions, answered.partitions, [&](const auto& asked, auto& target) {
      target.partition_index = asked.partition_index;
      look_up(call, make_partition(topic.name, asked.partition_index), asked, target);
    });
  });
}

}  // namespace ringlog::server::handlers
