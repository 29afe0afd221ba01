#include "model/kafka_error.h"

#include <array>

namespace ringlog::model {
namespace {

struct translation {
  error_code ours;
  kafka_error kafka;
};

// One line per error_code, in its order.
constexpr std::array translations = {
    translation{error_code::io_error, kafka_error::kafka_storage_error},
    translation{error_code::no_space, kafka_error::kafka_storage_error},
    translation{error_code::permission_denied, kafka_error::kafka_storage_error},
    translation{error_code::not_found, kafka_error::kafka_storage_error},
    translation{error_code::already_exists, kafka_error::kafka_storage_error},
    translation{error_code::locked, kafka_error::kafka_storage_error},
    translation{error_code::unsupported, kafka_error::unsupported_version},
    translation{error_code::foreign_directory, kafka_error::kafka_storage_error},
    translation{error_code::storage_failed, kafka_error::kafka_storage_error},
    translation{error_code::corrupt, kafka_error::corrupt_message},
    translation{error_code::invalid_argument, kafka_error::invalid_request},
    translation{error_code::invalid_record, kafka_error::invalid_record},
    translation{error_code::invalid_timestamp, kafka_error::invalid_timestamp},
    translation{error_code::invalid_topic, kafka_error::invalid_topic_exception},
    translation{error_code::invalid_config, kafka_error::invalid_config},
    translation{error_code::invalid_partitions, kafka_error::invalid_partitions},
    translation{error_code::invalid_replication_factor, kafka_error::invalid_replication_factor},
    translation{error_code::invalid_replica_assignment, kafka_error::invalid_replica_assignment},
    translation{error_code::invalid_required_acks, kafka_error::invalid_required_acks},
    translation{error_code::message_too_large, kafka_error::message_too_large},
    translation{error_code::record_list_too_large, kafka_error::record_list_too_large},
    translation{error_code::unsupported_compression, kafka_error::unsupported_compression_type},
    translation{error_code::policy_violation, kafka_error::policy_violation},
    translation{error_code::offset_out_of_range, kafka_error::offset_out_of_range},
    translation{error_code::unknown_topic_or_partition, kafka_error::unknown_topic_or_partition},
    translation{error_code::unknown_topic_id, kafka_error::unknown_topic_id},
    translation{error_code::topic_already_exists, kafka_error::topic_already_exists},
    translation{error_code::invalid_update_version, kafka_error::invalid_update_version},
    translation{error_code::not_leader, kafka_error::not_leader_or_follower},
    translation{error_code::fenced_leader_epoch, kafka_error::fenced_leader_epoch},
    translation{error_code::unknown_leader_epoch, kafka_error::unknown_leader_epoch},
    translation{error_code::out_of_order_sequence, kafka_error::out_of_order_sequence_number},
    translation{error_code::duplicate_sequence, kafka_error::duplicate_sequence_number},
    translation{error_code::invalid_producer_epoch, kafka_error::invalid_producer_epoch},
    translation{error_code::unknown_producer_id, kafka_error::unknown_producer_id},
    translation{error_code::invalid_txn_state, kafka_error::invalid_txn_state},
    translation{error_code::concurrent_transactions, kafka_error::concurrent_transactions},
    translation{error_code::transactional_id_authorization,
                kafka_error::transactional_id_authorization_failed},
    translation{error_code::coordinator_loading, kafka_error::coordinator_load_in_progress},
    translation{error_code::coordinator_not_available, kafka_error::coordinator_not_available},
    translation{error_code::not_coordinator, kafka_error::not_coordinator},
    translation{error_code::illegal_generation, kafka_error::illegal_generation},
    translation{error_code::unknown_member_id, kafka_error::unknown_member_id},
    translation{error_code::member_id_required, kafka_error::member_id_required},
    translation{error_code::inconsistent_group_protocol, kafka_error::inconsistent_group_protocol},
    translation{error_code::invalid_group_id, kafka_error::invalid_group_id},
    translation{error_code::invalid_session_timeout, kafka_error::invalid_session_timeout},
    translation{error_code::rebalance_in_progress, kafka_error::rebalance_in_progress},
    translation{error_code::fenced_instance_id, kafka_error::fenced_instance_id},
    translation{error_code::group_max_size_reached, kafka_error::group_max_size_reached},
    translation{error_code::non_empty_group, kafka_error::non_empty_group},
    translation{error_code::group_id_not_found, kafka_error::group_id_not_found},
    translation{error_code::group_subscribed_to_topic, kafka_error::group_subscribed_to_topic},
    translation{error_code::offset_metadata_too_large, kafka_error::offset_metadata_too_large},
    translation{error_code::unstable_offset_commit, kafka_error::unstable_offset_commit},
    translation{error_code::timed_out, kafka_error::request_timed_out},
    translation{error_code::no_memory, kafka_error::request_timed_out},
    translation{error_code::interrupted, kafka_error::unknown_server_error},
    translation{error_code::closed, kafka_error::unknown_server_error},
    translation{error_code::internal, kafka_error::unknown_server_error},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < translations.size(); ++i) {
    if (static_cast<std::size_t>(translations[i].ours) != i) return false;
  }
  return translations.size() == static_cast<std::size_t>(error_code::internal) + 1;
}
static_assert(in_order(), "one translation per error_code, in the order of the enumeration");

}  // namespace

kafka_error to_kafka(error_code code) { return translations[static_cast<std::size_t>(code)].kafka; }

}  // namespace ringlog::model
