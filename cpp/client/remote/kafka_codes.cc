#include "client/remote/kafka_codes.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "broker/types.h"
#include "model/kafka_error.h"

namespace ringlog::client::remote {
namespace {

struct meaning {
  std::int16_t number;
  error_code code;
  std::string_view name;  // Kafka's
};

// Where several of our codes have one number, the one that it means in an answer; and numbers that
// no code of ours has.
constexpr std::array meanings = {
    meaning{-1, error_code::internal, "UNKNOWN_SERVER_ERROR"},
    meaning{7, error_code::timed_out, "REQUEST_TIMED_OUT"},
    meaning{56, error_code::storage_failed, "KAFKA_STORAGE_ERROR"},
    // The metadata is out of date.
    meaning{5, error_code::not_leader, "LEADER_NOT_AVAILABLE"},
    meaning{9, error_code::not_leader, "REPLICA_NOT_AVAILABLE"},
    meaning{13, error_code::not_leader, "NETWORK_EXCEPTION"},
    meaning{41, error_code::not_leader, "NOT_CONTROLLER"},
    meaning{78, error_code::not_leader, "OFFSET_NOT_AVAILABLE"},
    meaning{103, error_code::unknown_topic_id, "INCONSISTENT_TOPIC_ID"},
    // It did not happen, and may later.
    meaning{19, error_code::not_leader, "NOT_ENOUGH_REPLICAS"},
    meaning{89, error_code::coordinator_loading, "THROTTLING_QUOTA_EXCEEDED"},
    // It may have happened.
    meaning{20, error_code::timed_out, "NOT_ENOUGH_REPLICAS_AFTER_APPEND"},
    // It will not.
    meaning{29, error_code::internal, "TOPIC_AUTHORIZATION_FAILED"},
    meaning{30, error_code::internal, "GROUP_AUTHORIZATION_FAILED"},
    meaning{31, error_code::internal, "CLUSTER_AUTHORIZATION_FAILED"},
    // Of members of consumer groups.
    meaning{110, broker::consumer_failures::fenced_member_epoch, "FENCED_MEMBER_EPOCH"},
    meaning{111, broker::consumer_failures::unreleased_instance_id, "UNRELEASED_INSTANCE_ID"},
    meaning{112, broker::consumer_failures::unsupported_assignor, "UNSUPPORTED_ASSIGNOR"},
    meaning{113, broker::consumer_failures::stale_member_epoch, "STALE_MEMBER_EPOCH"},
    meaning{128, broker::consumer_failures::invalid_regular_expression,
            "INVALID_REGULAR_EXPRESSION"},
};

const meaning* find_meaning(std::int16_t number) {
  const auto found = std::ranges::find(meanings, number, &meaning::number);
  return found == meanings.end() ? nullptr : &*found;
}

}  // namespace

error_code code_of(std::int16_t number) {
  if (const meaning* found = find_meaning(number)) return found->code;
  for (int i = 0; i <= static_cast<int>(error_code::internal); ++i) {
    const auto code = static_cast<error_code>(i);
    if (static_cast<std::int16_t>(model::to_kafka(code)) == number) return code;
  }
  return error_code::internal;
}

status check_code(std::int16_t number, const std::optional<std::string>& message) {
  if (number == 0) return {};
  const error_code code = code_of(number);
  if (message && !message->empty()) return error{code, *message};
  const meaning* named = find_meaning(number);
  return make_error(code, "the broker answered with error {} ({})", number,
                    named != nullptr ? named->name : name_of(code));
}

bool is_passing(error_code code) {
  switch (code) {
    case nobody_there:
    case error_code::timed_out:
    case error_code::not_leader:
    case error_code::not_coordinator:
    case error_code::coordinator_loading:
    case error_code::fenced_leader_epoch:
    case error_code::unknown_leader_epoch:
    case error_code::unknown_topic_id:
    case error_code::unstable_offset_commit:
      return true;
    default:
      return false;
  }
}

}  // namespace ringlog::client::remote
