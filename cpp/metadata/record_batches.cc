#include "metadata/record_batches.h"

#include <utility>

#include "base/limits.h"

namespace ringlog::metadata {

namespace {

byte_buffer finish_batch(model::batch_builder&& builder, bool is_control,
                         batch_position& position) {
  model::batch_fields fields;
  fields.base_offset = position.next_offset;
  fields.partition_leader_epoch = position.epoch;
  fields.is_control = is_control;
  position.next_offset += builder.count();
  return std::move(builder).finish(fields);
}

status visit_batch(const model::batch_view& batch, const control_visitor& control,
                   const record_visitor& visit) {
  TRY(model::validate(batch, model::validation_level::checksum));
  if (batch.compression() != compression_type::none) {
    return make_error(error_code::unsupported, "compressed metadata");
  }
  model::record_iterator records(batch, batch.records());
  for (model::record_view record; records.next(record);) {
    if (!record.value) return make_error(error_code::corrupt, "a metadata record without a value");
    if (batch.is_control()) {
      TRY_ASSIGN(const auto key, model::parse_control_key(record.key));
      TRY(control(batch, key.type, *record.value));
    } else {
      auto decoded = protocol::decode_metadata_record(*record.value);
      if (!decoded.ok()) {
        return std::move(decoded.failure()).with_context(fmt::format("offset {}", record.offset));
      }
      TRY(visit(batch, std::move(decoded).value()));
    }
  }
  return records.outcome();
}

}  // namespace

byte_buffer control_batch::finish(batch_position& position) && {
  return finish_batch(std::move(builder_), true, position);
}

result<byte_buffer> encode_batches(const std::vector<protocol::metadata_record>& records,
                                   std::int64_t timestamp, batch_position& position) {
  byte_buffer bytes;
  model::batch_builder builder;
  for (const protocol::metadata_record& record : records) {
    TRY_ASSIGN(const byte_buffer value, protocol::encode_metadata_record(record));
    const std::size_t size_after =
        builder.size_in_bytes() + model::batch_builder::record_bytes_max({}, bytes_view(value));
    if (!builder.empty() &&
        size_after > static_cast<std::size_t>(limits::metadata_batch_bytes_max)) {
      append(bytes, finish_batch(std::move(builder), false, position));
      builder = model::batch_builder();
    }
    builder.append(timestamp, std::nullopt, bytes_view(value));
  }
  if (!builder.empty()) append(bytes, finish_batch(std::move(builder), false, position));
  return bytes;
}

status for_each_record(bytes_view batches, const control_visitor& control,
                       const record_visitor& record) {
  while (!batches.empty()) {
    TRY_ASSIGN(const auto batch, model::parse_batch(batches));
    if (!batch) return make_error(error_code::corrupt, "a batch of metadata is cut off");
    TRY(visit_batch(*batch, control, record));
    batches = batches.subspan(batch->size_in_bytes());
  }
  return {};
}

}  // namespace ringlog::metadata
