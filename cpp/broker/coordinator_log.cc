#include "broker/coordinator_log.h"

#include "codec/codec.h"
#include "model/record.h"
#include "model/record_batch.h"

namespace ringlog::broker {

namespace {

status replay_batch(const model::batch_view& batch, offset_t from, coordinator_replay& target) {
  TRY_ASSIGN(const auto marker, model::parse_transaction_marker(batch));
  if (marker) {
    target.on_transaction_end(batch.producer_id(), marker->type == model::control_type::commit);
    return {};
  }
  if (batch.is_control()) return {};
  byte_buffer expanded;
  bytes_view bytes = batch.records();
  if (batch.compression() != compression_type::none) {
    TRY_ASSIGN(expanded, codec::decompress(batch.compression(), bytes));
    bytes = expanded;
  }
  const producer_id_t producer = batch.is_transactional() ? batch.producer_id() : no_producer_id;
  model::record_iterator records(batch, bytes);
  for (model::record_view record; records.next(record);) {
    if (record.offset < from || !record.key) continue;
    target.on_record(record.offset, producer, *record.key, record.value);
  }
  return records.outcome();
}

}  // namespace

result<offset_t> replay_batches(bytes_view batches, offset_t from, coordinator_replay& target) {
  offset_t next = from;
  while (!batches.empty()) {
    TRY_ASSIGN(const auto batch, model::parse_batch(batches));
    if (!batch) break;
    TRY(replay_batch(*batch, from, target));
    next = batch->next_offset();
    batches = batches.subspan(batch->size_in_bytes());
  }
  return next;
}

}  // namespace ringlog::broker
