#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "model/batch_builder.h"
#include "model/record.h"
#include "model/record_batch.h"
#include "model/types.h"
#include "protocol/codec.h"
#include "protocol/stored/metadata_record.h"

// Metadata records in record batches, as the metadata log and its snapshots hold them: values
// without keys, uncompressed, no producer.
namespace ringlog::metadata {

// Where the next batch stands; moved on by what is written.
struct batch_position {
  offset_t next_offset{0};
  leader_epoch_t epoch{0};
};

// A control batch of one record or more.
class control_batch {
 public:
  explicit control_batch(std::int64_t timestamp) : timestamp_(timestamp) {}

  template <typename Message>
  status add(model::control_type type, const Message& message) {
    TRY_ASSIGN(const byte_buffer value, protocol::encode_message(message, 0));
    const auto key = model::encode_control_key(type);
    builder_.append(timestamp_, bytes_view(key), bytes_view(value));
    return {};
  }

  byte_buffer finish(batch_position& position) &&;

 private:
  const std::int64_t timestamp_;
  model::batch_builder builder_;
};

// The records in as many batches as they need, each below limits::metadata_batch_bytes_max unless
// one record is larger; nothing for no records.
result<byte_buffer> encode_batches(const std::vector<protocol::metadata_record>& records,
                                   std::int64_t timestamp, batch_position& position);

using control_visitor =
    std::function<status(const model::batch_view&, model::control_type, bytes_view value)>;
using record_visitor =
    std::function<status(const model::batch_view&, protocol::metadata_record record)>;

// Visits every record of whole batches. error_code::corrupt when the bytes are no such batches.
status for_each_record(bytes_view batches, const control_visitor& control,
                       const record_visitor& record);

}  // namespace ringlog::metadata
