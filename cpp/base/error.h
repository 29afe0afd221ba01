#pragma once

#include <fmt/format.h>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringlog {

// Everything that can go wrong outside the program, as a closed set. Kafka's numbers are assigned
// where the protocol is spoken, Python's exceptions in the bindings; both by one table over this.
enum class error_code : std::uint8_t {
  // The machine and its files.
  io_error,           // a read or write failed; the message has errno's text
  no_space,           // disk full or quota reached
  permission_denied,  //
  not_found,          // a file or directory is not there
  already_exists,     //
  locked,             // another process owns the directory; the message names its pid
  unsupported,        // the system, a file format or a version we do not know
  foreign_directory,  // not a directory of ours and not one of Kafka's
  storage_failed,     // read-only after a failed write or sync (Kafka: KAFKA_STORAGE_ERROR)
  corrupt,            // stored bytes contradict themselves (Kafka: CORRUPT_MESSAGE)
  // The request.
  invalid_argument,    // (Kafka: INVALID_REQUEST)
  invalid_record,      // (Kafka: INVALID_RECORD)
  invalid_timestamp,   //
  invalid_topic,       // (Kafka: INVALID_TOPIC_EXCEPTION)
  invalid_config,      //
  invalid_partitions,  //
  invalid_replication_factor,
  invalid_replica_assignment,
  invalid_required_acks,
  message_too_large,  //
  record_list_too_large,
  unsupported_compression,
  policy_violation,  //
  // The log.
  offset_out_of_range,
  unknown_topic_or_partition,
  unknown_topic_id,
  topic_already_exists,
  invalid_update_version,  // of a feature level
  not_leader,
  fenced_leader_epoch,
  unknown_leader_epoch,
  // Producers.
  out_of_order_sequence,
  duplicate_sequence,
  invalid_producer_epoch,
  unknown_producer_id,
  invalid_txn_state,
  concurrent_transactions,
  transactional_id_authorization,
  // Groups.
  coordinator_loading,
  coordinator_not_available,
  not_coordinator,
  illegal_generation,
  unknown_member_id,
  member_id_required,
  inconsistent_group_protocol,
  invalid_group_id,
  invalid_session_timeout,
  rebalance_in_progress,
  fenced_instance_id,
  group_max_size_reached,
  non_empty_group,
  group_id_not_found,
  group_subscribed_to_topic,
  offset_metadata_too_large,
  unstable_offset_commit,
  // Time, room and life.
  timed_out,
  no_memory,    // a named limit of base/limits.h stayed full for the allowed time
  interrupted,  // by a signal that its handler wants to see
  closed,       // the object was closed or the process forked
  internal,     // a bug that we could report instead of dying of it
};

// The code's name as written above.
std::string_view name_of(error_code code);

// What went wrong: a code for programs and a sentence for people (what, where, what to do).
struct [[nodiscard]] error {
  error_code code;
  std::string message;

  // The same error seen from one level up: "context: message".
  error with_context(std::string_view context) && {
    message = fmt::format("{}: {}", context, message);
    return std::move(*this);
  }
};

template <typename... Values>
error make_error(error_code code, fmt::format_string<Values...> text, Values&&... values) {
  return {code, fmt::format(text, std::forward<Values>(values)...)};
}

// For a failed system call, `what` being its verb ("open", "write"): maps errno to a code and says
// "cannot open PATH: TEXT OF ERRNO; WHAT TO DO".
error error_from_errno(int errno_value, std::string_view what, std::string_view path);

}  // namespace ringlog
