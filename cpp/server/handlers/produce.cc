#include "base/endian.h"
#include "model/record_batch.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using model::kafka_error;
using sent_partition = protocol::produce_request::partition_produce;
using answered_partition = protocol::produce_response::partition_result;

// Of a record batch the length stands behind its base offset and counts what follows it.
bool is_one_batch(bytes_view records) {
  constexpr std::size_t front = sizeof(std::int64_t) + sizeof(std::int32_t);
  return records.size() > front && load_be<std::int32_t>(records.data() + sizeof(std::int64_t)) ==
                                       static_cast<std::int64_t>(records.size() - front);
}

// Its records are looked at, so they are decompressed.
bool takes_long(bytes_view records) {
  if (static_cast<std::int64_t>(records.size()) <= limits::compressed_bytes_in_place_max) {
    return false;
  }
  return model::batch_header_view(records).compression() != compression_type::none;
}

void refuse(const produce_call& call, answered_partition& target, std::int16_t code,
            std::optional<std::string> message) {
  target.error_code = code;
  target.error_message = std::move(message);
  target.base_offset = no_offset.value();
  // The only way to tell a client that waits for no answer (Kafka does the same).
  if (call->request.acks == 0) call->close_connection();
}

void append(const produce_call& call, const std::string& topic, const sent_partition& sent,
            answered_partition& target) {
  if (!sent.records || !is_one_batch(*sent.records)) {
    return refuse(call, target, code_of(kafka_error::invalid_record),
                  "a produce request has exactly one record batch for each partition");
  }
  broker::produce_request wanted;
  wanted.target = make_partition(topic, sent.index);
  wanted.batches = to_buffer(*sent.records);
  wanted.acks = static_cast<broker::required_acks>(call->request.acks);
  wanted.timeout_ms = call->request.timeout_ms;
  call->core().produce(std::move(wanted), [call, &target](const auto& appended) {
    if (!appended.ok()) return refuse(call, target, code_of(appended), message_of(appended));
    target.error_code = 0;
    target.base_offset = appended->base_offset.value();
    target.log_append_time_ms = appended->log_append_timestamp;
    target.log_start_offset = appended->log_start_offset.value();
  });
}

// What speaks against the whole request.
kafka_error fault_of(const protocol::produce_request& request) {
  if (request.acks < -1 || request.acks > 1) return kafka_error::invalid_required_acks;
  if (request.transactional_id) return kafka_error::transactional_id_authorization_failed;
  return kafka_error::none;
}

}  // namespace

bool may_block(const produce_call& call) {
  for (const auto& topic : call->request.topic_data) {
    const auto name = topic_name_of(call->core(), topic.name, topic.topic_id);
    if (!name) continue;
    for (const sent_partition& sent : topic.partition_data) {
      if (!call->core().is_open(make_partition(*name, sent.index))) return true;
      if (sent.records && takes_long(*sent.records)) return true;
    }
  }
  return false;
}

void produce(produce_call call) {
  const protocol::produce_request& request = call->request;
  if (request.acks == 0) call->answer_nothing();
  const kafka_error fault = fault_of(request);
  pair_up(request.topic_data, call->response.responses, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    const auto name = topic_name_of(call->core(), topic.name, topic.topic_id);
    pair_up(topic.partition_data, answered.partition_responses,
            [&](const auto& sent, auto& target) {
              target.index = sent.index;
              target.log_start_offset = no_offset.value();
              target.error_code = not_answered;
              if (fault != kafka_error::none) {
                refuse(call, target, code_of(fault), std::nullopt);
              } else if (!name) {
                refuse(call, target, code_of(kafka_error::unknown_topic_id), std::nullopt);
              } else {
                append(call, *name, sent, target);
              }
            });
  });
}

}  // namespace ringlog::server::handlers
