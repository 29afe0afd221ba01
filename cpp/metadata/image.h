#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "metadata/cow.h"
#include "metadata/topic_index.h"
#include "model/types.h"
#include "protocol/stored/metadata_record.h"

namespace ringlog::metadata {

// ConfigResource.Type
enum class config_resource_type : std::int8_t {
  topic = 2,
  broker = 4,
  client_metrics = 16,
  group = 32,
};

struct config_resource {
  config_resource_type type = config_resource_type::topic;
  std::string name;  // of a broker its id, "" for the default of all brokers
  auto operator<=>(const config_resource&) const = default;
};

using config_values = std::map<std::string, std::string, std::less<>>;

// An entity of client quotas: its types ("user", "client-id", "ip") in order, each with a name or
// none for the type's default.
using quota_entity = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Metadata at one offset of the metadata log (KIP-631; Kafka: MetadataImage). Immutable once
// published, shared by whoever reads; images share the parts that are the same in them. What we do
// not act on (access control, quotas, tokens, controllers, records of unknown types) is kept, so
// that snapshots carry it on.
struct image {
  offset_t next_offset{0};  // everything below is in the image
  leader_epoch_t epoch{0};  // of the metadata log, of the record before next_offset
  std::int64_t last_timestamp = no_timestamp;

  copy_on_write<topic_index> topics;
  copy_on_write<std::map<config_resource, config_values>> configs;
  copy_on_write<std::map<std::string, std::int16_t, std::less<>>> features;
  copy_on_write<std::map<std::int32_t, protocol::register_broker_record>> brokers;
  copy_on_write<std::map<std::int32_t, protocol::register_controller_record>> controllers;
  producer_id_t next_producer_id{0};
  copy_on_write<std::map<quota_entity, std::map<std::string, double>>> quotas;
  copy_on_write<std::map<uuid, protocol::access_control_entry_record>> access_controls;
  // By user and mechanism.
  copy_on_write<
      std::map<std::pair<std::string, std::int8_t>, protocol::user_scram_credential_record>>
      scram_credentials;
  copy_on_write<std::map<std::string, protocol::delegation_token_record>> delegation_tokens;
  copy_on_write<std::vector<protocol::metadata_record>> unknown_records;

  // Null when there is no such topic.
  topic_ptr find_topic(std::string_view name) const;
  topic_ptr find_topic(const uuid& id) const;

  // What was set on the resource itself; empty when nothing is.
  const config_values& configs_of(const config_resource& resource) const;

  // 0 when the feature is not finalised.
  std::int16_t feature_level(std::string_view name) const;
};

using image_ptr = std::shared_ptr<const image>;

}  // namespace ringlog::metadata
