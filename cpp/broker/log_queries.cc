#include "broker/log_queries.h"

#include "model/topic_name.h"

namespace ringlog::broker {

namespace {

listed_offset to_listed(const std::optional<storage::timestamped_offset>& found) {
  if (!found) return {};
  return {found->offset, found->timestamp, found->leader_epoch};
}

}  // namespace

result<listed_offset> log_queries::list_offset(const list_offset_request& request) {
  TRY_ASSIGN(const auto source, partitions_.find(request.source));
  TRY(partitions_.check_leader_epoch(request.source, request.current_leader_epoch));
  storage::partition_log& log = source->log();
  const storage::log_offsets offsets = log.offsets();
  if (request.timestamp == latest_timestamp) {
    const bool committed = request.isolation == isolation_level::read_committed;
    return listed_offset{committed ? offsets.last_stable : offsets.high_watermark, no_timestamp,
                         log.latest_leader_epoch()};
  }
  if (request.timestamp == earliest_timestamp) {
    return listed_offset{offsets.log_start, no_timestamp, log.leader_epoch_at(offsets.log_start)};
  }
  if (request.timestamp == max_timestamp) {
    TRY_ASSIGN(const auto found, log.offset_of_max_timestamp());
    return to_listed(found);
  }
  if (request.timestamp < 0) {
    return make_error(error_code::invalid_argument,
                      "{} is no timestamp that offsets can be listed by", request.timestamp);
  }
  TRY_ASSIGN(const auto found,
             log.offset_for_timestamp(request.timestamp, storage::bound_of(request.isolation)));
  return to_listed(found);
}

result<epoch_end_offset> log_queries::offset_for_leader_epoch(const epoch_end_request& request) {
  TRY_ASSIGN(const auto found, partitions_.find(request.source));
  TRY(partitions_.check_leader_epoch(request.source, request.current_leader_epoch));
  const storage::epoch_end end = found->log().end_offset_for_epoch(request.epoch);
  return epoch_end_offset{end.leader_epoch, end.end_offset};
}

result<std::vector<active_producer>> log_queries::describe_producers(
    const topic_partition& source) {
  TRY_ASSIGN(const auto found, partitions_.find(source));
  std::vector<active_producer> all;
  for (const storage::producer_description& producer : found->log().producers()) {
    all.push_back({{producer.producer_id, producer.producer_epoch},
                   producer.last_sequence,
                   producer.last_timestamp,
                   producer.coordinator_epoch,
                   producer.current_transaction_start});
  }
  return all;
}

void log_queries::delete_records(const topic_partition& source, offset_t before,
                                 reply<offset_t> done) {
  auto found = partitions_.find(source);
  if (!found.ok()) return done(std::move(found.failure()));
  if (model::is_internal_topic(source.topic)) {
    return done(make_error(error_code::invalid_topic, "Cannot delete records of internal topic {}.",
                           source.topic));
  }
  const storage::log_config config = (*found)->log().config();
  if (config.cleanup_compact && !config.cleanup_delete) {
    return done(make_error(error_code::policy_violation,
                           "Records of partition {} can not be deleted due to the configured "
                           "policy: cleanup.policy is compact",
                           source.to_string()));
  }
  (*found)->log().delete_records(before, std::move(done));
}

}  // namespace ringlog::broker
