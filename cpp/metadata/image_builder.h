#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/hash_map.h"
#include "base/result.h"
#include "metadata/image.h"
#include "model/types.h"
#include "protocol/stored/metadata_record.h"

namespace ringlog::metadata {

// Makes the next image from one image and the records that follow it (Kafka: MetadataDelta). Used
// once, by one thread. What the records do is KIP-631's; a transaction (KIP-868) takes effect at
// its end, or not at all.
class image_builder {
 public:
  explicit image_builder(const image& base) : image_(base) {}

  // error_code::corrupt when the record contradicts what is there; the builder is then useless.
  status apply(const protocol::metadata_record& record);

  // Where the image stands after the records so far.
  void set_position(offset_t next_offset, leader_epoch_t epoch, std::int64_t timestamp);

  // A begin without an end so far.
  bool in_transaction() const { return before_transaction_.has_value(); }

  // The image with all records so far, without those of a transaction that has not ended.
  image_ptr finish() &&;

 private:
  status apply(const protocol::unknown_metadata_message& message, std::int16_t version);
  status apply(const protocol::register_broker_record& record);
  status apply(const protocol::unregister_broker_record& record);
  status apply(const protocol::fence_broker_record& record);
  status apply(const protocol::unfence_broker_record& record);
  status apply(const protocol::broker_registration_change_record& record);
  status apply(const protocol::topic_record& record);
  status apply(const protocol::partition_record& record);
  status apply(const protocol::partition_change_record& record);
  status apply(const protocol::remove_topic_record& record);
  status apply(const protocol::clear_elr_record& record);
  status apply(const protocol::config_record& record);
  status apply(const protocol::feature_level_record& record);
  status apply(const protocol::client_quota_record& record);
  status apply(const protocol::producer_ids_record& record);
  status apply(const protocol::access_control_entry_record& record);
  status apply(const protocol::remove_access_control_entry_record& record);
  status apply(const protocol::user_scram_credential_record& record);
  status apply(const protocol::remove_user_scram_credential_record& record);
  status apply(const protocol::delegation_token_record& record);
  status apply(const protocol::remove_delegation_token_record& record);
  status apply(const protocol::register_controller_record& record);
  status apply(const protocol::begin_transaction_record& record);
  status apply(const protocol::end_transaction_record& record);
  status apply(const protocol::abort_transaction_record& record);
  status apply(const protocol::no_op_record&) { return {}; }
  status apply(const protocol::zk_migration_state_record&) { return {}; }

  result<topic_state*> edit_topic(const uuid& id);
  result<protocol::register_broker_record*> edit_broker(std::int32_t id);
  void install_topics();

  image image_;
  // Topics that are being changed, each a copy that is ours alone.
  hash_map<uuid, std::shared_ptr<topic_state>> changed_topics_;
  std::optional<image> before_transaction_;
};

}  // namespace ringlog::metadata
