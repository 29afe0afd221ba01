#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/task.h"
#include "model/types.h"

// What the broker is asked and what it answers, in Kafka's nouns. Handlers translate these from
// and to the wire, the embedded client uses them as they are. Field meanings follow the Kafka
// request of the same name; times are in milliseconds, *_timestamp is wall clock.
namespace ringlog::broker {

// The answer to one request: called exactly once, on the engine's thread or, when the answer is
// there at once, inside the call itself. Callers hold no lock over a call.
template <typename T>
using reply = callback<void(result<T>)>;

// ---- produce, fetch, offsets -------------------------------------------------------------

enum class required_acks : std::int8_t { none = 0, leader = 1, all = -1 };

struct produce_request {
  topic_partition target;
  byte_buffer batches;  // one record batch v2 or more, back to back; stamped in place and kept
  required_acks acks = required_acks::all;
  std::int64_t timeout_ms = 30'000;
  // Encoded in this process by our own builder: checksum and records are not looked at again.
  bool trusted = false;
};

struct produce_answer {
  offset_t base_offset{no_offset};
  std::int64_t log_append_timestamp = no_timestamp;  // set when the topic says LogAppendTime
  offset_t log_start_offset{no_offset};
  bool duplicate = false;  // an idempotent producer's resend; base_offset is the first one's
};

struct fetch_partition {
  topic_partition source;
  offset_t fetch_offset;
  std::int64_t bytes_max = 1'048'576;
  leader_epoch_t current_leader_epoch{no_leader_epoch};
};

struct fetch_request {
  std::vector<fetch_partition> partitions;
  std::int64_t wait_ms_max = 500;
  std::int64_t bytes_min = 1;
  std::int64_t bytes_max = 52'428'800;
  isolation_level isolation = isolation_level::read_uncommitted;
  // The caller's thread may open partitions and read files. If not, that is done on another one.
  bool may_block = true;
};

struct aborted_transaction {
  producer_id_t producer;
  offset_t first_offset;
};

struct fetched_partition {
  topic_partition source;
  std::optional<error> failure;
  offset_t high_watermark{no_offset};
  offset_t last_stable_offset{no_offset};
  offset_t log_start_offset{no_offset};
  std::vector<aborted_transaction> aborted;  // read_committed only, by first offset
  std::vector<shared_bytes> batches;         // whole batches; the first may begin before the offset
};

struct fetch_answer {
  std::vector<fetched_partition> partitions;  // in the order asked
};

// The special timestamps of ListOffsets (KIP-79, KIP-734).
inline constexpr std::int64_t latest_timestamp = -1;
inline constexpr std::int64_t earliest_timestamp = -2;
inline constexpr std::int64_t max_timestamp = -3;

struct list_offset_request {
  topic_partition source;
  std::int64_t timestamp = latest_timestamp;
  isolation_level isolation = isolation_level::read_uncommitted;
  leader_epoch_t current_leader_epoch{no_leader_epoch};  // that the client knows (KIP-320)
};

struct listed_offset {
  offset_t offset{no_offset};  // -1: no record at or after the timestamp
  std::int64_t timestamp = no_timestamp;
  leader_epoch_t leader_epoch{no_leader_epoch};
};

struct epoch_end_request {
  topic_partition source;
  leader_epoch_t epoch{no_leader_epoch};
  leader_epoch_t current_leader_epoch{no_leader_epoch};  // that the client knows (KIP-320)
};

struct epoch_end_offset {
  leader_epoch_t leader_epoch{no_leader_epoch};
  offset_t end_offset{no_offset};
};

struct producer_identity {
  producer_id_t id{no_producer_id};
  producer_epoch_t epoch{no_producer_epoch};
};

struct active_producer {
  producer_identity identity;
  std::int32_t last_sequence = no_sequence;
  std::int64_t last_timestamp = no_timestamp;
  std::int32_t coordinator_epoch = -1;
  offset_t current_transaction_start{no_offset};
};

// ---- topics, configs ---------------------------------------------------------------------

struct partition_description {
  partition_id_t partition{0};
  node_id_t leader{-1};
  leader_epoch_t leader_epoch{no_leader_epoch};
  std::vector<node_id_t> replicas;
  std::vector<node_id_t> in_sync_replicas;
};

struct topic_description {
  std::string name;
  uuid id;
  bool internal = false;
  std::vector<partition_description> partitions;  // by partition id
};

using config_map = std::map<std::string, std::string>;

struct new_topic {
  std::string name;
  std::int32_t partitions = -1;                    // -1: num.partitions of the broker
  std::int16_t replication_factor = -1;            // -1 or 1
  std::vector<std::vector<node_id_t>> assignment;  // given instead of partitions; this node only
  config_map configs;
};

struct created_topic {
  std::string name;
  uuid id;
  std::int32_t partitions = 0;
  std::int16_t replication_factor = 1;
  std::vector<std::string> warnings;  // configs that are stored but not acted on yet
};

enum class resource_type : std::int8_t {
  topic = 2,
  broker = 4,
  broker_logger = 8,
  client_metrics = 16,
  group = 32,
};

struct config_resource {
  resource_type type = resource_type::topic;
  std::string name;  // topic or group; of a broker its id, or "" for the cluster default
  auto operator<=>(const config_resource&) const = default;
};

// DescribeConfigsResponse.ConfigSource
enum class config_source : std::int8_t {
  topic_config = 1,
  dynamic_broker_config = 2,
  dynamic_default_broker_config = 3,
  static_broker_config = 4,
  default_config = 5,
  dynamic_broker_logger_config = 6,
  client_metrics_config = 7,
  group_config = 8,
};

struct config_synonym {
  std::string name;
  std::optional<std::string> value;
  config_source source = config_source::default_config;
};

struct config_entry {
  std::string name;
  std::optional<std::string> value;  // none when sensitive or unset
  bool read_only = false;
  bool sensitive = false;
  config_source source = config_source::default_config;
  std::int8_t type = 0;  // DescribeConfigsResponse.ConfigType
  std::string documentation;
  std::vector<config_synonym> synonyms;  // in order of precedence
};

enum class alter_operation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

struct config_alteration {
  std::string name;
  std::optional<std::string> value;
  alter_operation operation = alter_operation::set;
};

struct cluster_description {
  std::string cluster_id;
  node_id_t controller{-1};
  node_id_t node{-1};
  std::string host;
  std::int32_t port = -1;
  std::string log_directory;                                  // absolute
  std::map<std::string, std::int16_t, std::less<>> features;  // those finalised, with their levels
};

struct partition_usage {
  topic_partition name;
  std::int64_t bytes = 0;
};

struct log_directory_description {
  std::string path;
  std::vector<partition_usage> partitions;   // by name
  std::optional<std::int64_t> total_bytes;   // of the volume; none: it does not tell
  std::optional<std::int64_t> usable_bytes;  // likewise
};

// The metadata quorum, which is this node.
struct quorum_description {
  node_id_t leader{-1};
  uuid directory_id;
  leader_epoch_t leader_epoch{no_leader_epoch};
  offset_t high_watermark{no_offset};
  std::int64_t now_timestamp = no_timestamp;
};

enum class feature_upgrade : std::int8_t { upgrade = 1, safe_downgrade = 2, unsafe_downgrade = 3 };

struct feature_update {
  std::string feature;
  std::int16_t level = 0;  // 0: off
  feature_upgrade type = feature_upgrade::upgrade;
};

struct log_health {
  std::optional<error> failure;  // why nothing is written any more
  std::int64_t offline_partitions = 0;
};

// ---- groups ------------------------------------------------------------------------------

struct join_protocol {
  std::string name;
  byte_buffer metadata;  // opaque to the broker
  bool operator==(const join_protocol&) const = default;
};

struct join_group_request {
  std::string group;
  std::string member;                   // "" at first
  std::optional<std::string> instance;  // static membership (KIP-345)
  std::string client_id;
  std::string client_host;
  std::string protocol_type;             // "consumer", "connect", "sr", …
  std::vector<join_protocol> protocols;  // in order of preference
  std::int64_t session_timeout_ms = 45'000;
  std::int64_t rebalance_timeout_ms = 300'000;
  bool member_id_required = false;  // answer member_id_required first (KIP-394)
  std::string reason;
};

struct joined_member {
  std::string member;
  std::optional<std::string> instance;
  byte_buffer metadata;
};

struct join_group_answer {
  std::int32_t generation = -1;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::string member;
  bool member_id_required = false;     // true: join again with `member`, rest unset (KIP-394)
  bool skip_assignment = false;        // KIP-814
  std::vector<joined_member> members;  // for the leader only
};

struct member_assignment {
  std::string member;
  byte_buffer assignment;
};

struct sync_group_request {
  std::string group;
  std::int32_t generation = -1;
  std::string member;
  std::optional<std::string> instance;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::vector<member_assignment> assignments;  // from the leader
};

struct sync_group_answer {
  std::string protocol_type;
  std::string protocol;
  byte_buffer assignment;
};

struct group_member_identity {
  std::string group;
  std::int32_t generation = -1;
  std::string member;
  std::optional<std::string> instance;
};

struct leaving_member {
  std::string member;
  std::optional<std::string> instance;
  std::string reason;
};

struct committed_offset {
  offset_t offset{no_offset};
  leader_epoch_t leader_epoch{no_leader_epoch};
  std::string metadata;
};

struct offset_commit_request {
  group_member_identity from;  // generation -1 and no member: a simple consumer (no group protocol)
  std::int64_t retention_ms = -1;
  std::vector<std::pair<topic_partition, committed_offset>> offsets;
  bool knows_member_epochs = true;  // false: an OffsetCommit before version 9
};

// Per partition what happened; the commit of the good ones is durable.
using partition_failures = std::vector<std::pair<topic_partition, std::optional<error>>>;

struct offset_fetch_request {
  std::string group;
  std::optional<std::vector<topic_partition>> partitions;  // none: all that the group has
  bool require_stable = false;  // unstable_offset_commit while a transaction is pending (KIP-447)
  std::optional<std::string> member;  // of a consumer group; checked with its epoch
  std::int32_t member_epoch = -1;
};

using fetched_offsets = std::vector<std::pair<topic_partition, std::optional<committed_offset>>>;

struct listed_group {
  std::string group;
  std::string protocol_type;
  // Empty, PreparingRebalance, CompletingRebalance, Assigning, Reconciling, Stable, Dead
  std::string state;
  std::string type;  // Classic, Consumer, Share, Streams
};

struct described_member {
  std::string member;
  std::optional<std::string> instance;
  std::string client_id;
  std::string client_host;
  byte_buffer metadata;
  byte_buffer assignment;
};

struct described_group {
  std::string group;
  std::string state;
  std::string protocol_type;
  std::string protocol;
  std::string type;
  std::vector<described_member> members;
};

// ---- groups, consumer protocol (KIP-848) ---------------------------------------------------

using partitions_by_topic = std::map<uuid, std::set<std::int32_t>>;

// Failures that only this protocol has go by codes that its calls do not give otherwise; handlers
// know them by these names.
namespace consumer_failures {
inline constexpr error_code fenced_member_epoch = error_code::illegal_generation;
inline constexpr error_code stale_member_epoch = error_code::fenced_leader_epoch;
inline constexpr error_code unreleased_instance_id = error_code::non_empty_group;
inline constexpr error_code unsupported_assignor = error_code::inconsistent_group_protocol;
inline constexpr error_code invalid_regular_expression = error_code::invalid_topic;
}  // namespace consumer_failures

// The epochs by which a member joins and leaves.
inline constexpr std::int32_t joining_epoch = 0;
inline constexpr std::int32_t leaving_epoch = -1;
inline constexpr std::int32_t leaving_for_a_while_epoch = -2;  // static members

// What is none has not changed since the member's last heartbeat.
struct consumer_heartbeat_request {
  std::string group;
  std::string member;  // "": to be given one
  std::int32_t epoch = joining_epoch;
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::vector<std::string>> topics;
  std::optional<std::string> topic_expression;  // "": no longer
  std::optional<std::string> assignor;
  std::optional<partitions_by_topic> owned;
};

struct consumer_heartbeat_answer {
  std::string member;
  std::int32_t epoch = joining_epoch;
  std::int32_t heartbeat_interval_ms = 0;
  std::optional<partitions_by_topic> assignment;  // none: as before
};

struct described_consumer_member {
  std::string member;
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  std::int32_t epoch = joining_epoch;
  std::string client_id;
  std::string client_host;
  std::vector<std::string> topics;
  std::optional<std::string> topic_expression;
  partitions_by_topic assignment;
  partitions_by_topic target;
  bool is_classic = false;
};

struct described_consumer_group {
  std::string group;
  std::string state;  // Empty, Assigning, Reconciling, Stable, Dead
  std::int32_t epoch = 0;
  std::int32_t assignment_epoch = 0;
  std::string assignor;
  std::vector<described_consumer_member> members;
};

}  // namespace ringlog::broker
