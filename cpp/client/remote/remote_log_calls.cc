// Offsets, epochs, producers: what is asked of a partition's leader, and producer ids.

#include <limits>

#include "client/remote/remote_service.h"
#include "protocol/wire/log/delete_records.h"
#include "protocol/wire/log/describe_producers.h"
#include "protocol/wire/log/list_offsets.h"
#include "protocol/wire/log/offset_for_leader_epoch.h"
#include "protocol/wire/transaction/init_producer_id.h"

namespace ringlog::client::remote {
namespace {

using namespace protocol;

// Of an answer about one partition of one topic.
template <typename Topics, typename Member>
auto only_partition(Topics& topics, Member partitions)
    -> result<typename std::remove_reference_t<decltype(topics.front().*partitions)>::value_type*> {
  if (topics.size() == 1 && (topics.front().*partitions).size() == 1) {
    return &(topics.front().*partitions).front();
  }
  return error{error_code::internal, "the broker's answer lacks the partition that was asked for"};
}

}  // namespace

void remote_service::list_offset(broker::list_offset_request request,
                                 reply<broker::listed_offset> done) {
  call_plan<list_offsets_request, list_offsets_response, broker::listed_offset> plan;
  plan.by = route::to_leader(request.source);
  plan.what = "ListOffsets of " + request.source.to_string();
  if (request.timestamp == broker::max_timestamp) plan.lowest_version = 7;  // KIP-734
  plan.fill = [asked = request](list_offsets_request& out, std::int16_t version) {
    out.replica_id = -1;
    if (version >= 2) out.isolation_level = static_cast<std::int8_t>(asked.isolation);
    auto& topic = out.topics.emplace_back();
    topic.name = asked.source.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = asked.source.partition.value();
    partition.timestamp = asked.timestamp;
  };
  plan.take = [](list_offsets_response& answer,
                 const wire_answer&) -> result<broker::listed_offset> {
    TRY_ASSIGN(const auto* found,
               only_partition(answer.topics, &list_offsets_response::topic_response::partitions));
    TRY(check_code(found->error_code));
    return broker::listed_offset{offset_t(found->offset), found->timestamp,
                                 leader_epoch_t(found->leader_epoch)};
  };
  call(std::move(plan), std::move(done));
}

void remote_service::offset_for_leader_epoch(topic_partition source, leader_epoch_t epoch,
                                             reply<broker::epoch_end_offset> done) {
  call_plan<offset_for_leader_epoch_request, offset_for_leader_epoch_response,
            broker::epoch_end_offset>
      plan;
  plan.by = route::to_leader(source);
  plan.what = "OffsetForLeaderEpoch of " + source.to_string();
  plan.fill = [source, epoch](offset_for_leader_epoch_request& out, std::int16_t) {
    out.replica_id = -1;
    auto& topic = out.topics.emplace_back();
    topic.topic = source.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition = source.partition.value();
    partition.leader_epoch = epoch.value();
  };
  plan.take = [](offset_for_leader_epoch_response& answer,
                 const wire_answer&) -> result<broker::epoch_end_offset> {
    TRY_ASSIGN(const auto* found,
               only_partition(
                   answer.topics,
                   &offset_for_leader_epoch_response::offset_for_leader_topic_result::partitions));
    TRY(check_code(found->error_code));
    return broker::epoch_end_offset{leader_epoch_t(found->leader_epoch),
                                    offset_t(found->end_offset)};
  };
  call(std::move(plan), std::move(done));
}

void remote_service::delete_records(topic_partition source, offset_t before, reply<offset_t> done) {
  call_plan<delete_records_request, delete_records_response, offset_t> plan;
  plan.by = route::to_leader(source);
  plan.what = "DeleteRecords of " + source.to_string();
  const auto timeout_ms = cluster_->options().request_timeout_ms;
  plan.fill = [source, before, timeout_ms](delete_records_request& out, std::int16_t) {
    out.timeout_ms = static_cast<std::int32_t>(timeout_ms);
    auto& topic = out.topics.emplace_back();
    topic.name = source.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = source.partition.value();
    partition.offset = before.value();
  };
  plan.take = [](delete_records_response& answer, const wire_answer&) -> result<offset_t> {
    TRY_ASSIGN(const auto* found,
               only_partition(answer.topics, &delete_records_response::topic_result::partitions));
    TRY(check_code(found->error_code));
    return offset_t(found->low_watermark);
  };
  call(std::move(plan), std::move(done));
}

void remote_service::init_producer_id(std::optional<std::string> transactional_id,
                                      std::optional<broker::producer_identity> current,
                                      reply<broker::producer_identity> done) {
  call_plan<init_producer_id_request, init_producer_id_response, broker::producer_identity> plan;
  plan.by = route::any();
  plan.what = "InitProducerId";
  if (current) plan.lowest_version = 3;  // KIP-360
  plan.fill = [transactional_id, current](init_producer_id_request& out, std::int16_t) {
    out.transactional_id.reset();
    if (transactional_id) out.transactional_id = *transactional_id;
    out.transaction_timeout_ms = std::numeric_limits<std::int32_t>::max();
    if (!current) return;
    out.producer_id = current->id.value();
    out.producer_epoch = current->epoch.value();
  };
  plan.take = [](init_producer_id_response& answer,
                 const wire_answer&) -> result<broker::producer_identity> {
    TRY(check_code(answer.error_code));
    return broker::producer_identity{producer_id_t(answer.producer_id),
                                     producer_epoch_t(answer.producer_epoch)};
  };
  call(std::move(plan), std::move(done));
}

void remote_service::describe_producers(topic_partition source,
                                        reply<std::vector<broker::active_producer>> done) {
  call_plan<describe_producers_request, describe_producers_response,
            std::vector<broker::active_producer>>
      plan;
  plan.by = route::to_leader(source);
  plan.what = "DescribeProducers of " + source.to_string();
  plan.fill = [source](describe_producers_request& out, std::int16_t) {
    auto& topic = out.topics.emplace_back();
    topic.name = source.topic;
    topic.partition_indexes.push_back(source.partition.value());
  };
  plan.take = [](describe_producers_response& answer,
                 const wire_answer&) -> result<std::vector<broker::active_producer>> {
    TRY_ASSIGN(
        const auto* found,
        only_partition(answer.topics, &describe_producers_response::topic_response::partitions));
    TRY(check_code(found->error_code, found->error_message));
    std::vector<broker::active_producer> producers;
    for (const auto& each : found->active_producers) {
      producers.push_back({{producer_id_t(each.producer_id),
                            producer_epoch_t(static_cast<std::int16_t>(each.producer_epoch))},
                           each.last_sequence,
                           each.last_timestamp,
                           each.coordinator_epoch,
                           offset_t(each.current_txn_start_offset)});
    }
    return producers;
  };
  call(std::move(plan), std::move(done));
}

}  // namespace ringlog::client::remote
