#include "base/endian.h"
#include "broker/client_quotas.h"
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

void refuse(const produce_call& call, const std::string& topic, answered_partition& target,
            std::int16_t code, std::optional<std::string> message) {
  target.error_code = code;
  target.error_message = std::move(message);
  target.base_offset = no_offset.value();
  call->metrics().produce_failed(topic);
  // The only way to tell a client that waits for no answer (Kafka does the same).
  if (call->request.acks == 0) call->close_connection();
}

// A topic that is sent to; its partitions are counted when that matters.
class sent_topic {
 public:
  sent_topic(broker::broker& core, std::string name) : core_(core), name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  bool has(std::int32_t partition) {
    if (!count_) count_ = partition_count(core_, name_);
    return partition >= 0 && partition < *count_;
  }

 private:
  broker::broker& core_;
  const std::string name_;
  std::optional<std::int32_t> count_;
};

bool is_known(std::int16_t acks) { return acks >= -1 && acks <= 1; }

// What speaks against a partition before the log is asked. That it does not exist comes first, as
// in Kafka.
std::optional<error> fault_of(const produce_call& call, sent_topic& topic,
                              const sent_partition& sent) {
  const bool is_batch = sent.records && is_one_batch(*sent.records);
  if (is_batch && is_known(call->request.acks)) return std::nullopt;
  if (!topic.has(sent.index)) {
    return error{error_code::unknown_topic_or_partition, partition_not_here};
  }
  if (!is_batch) {
    return error{error_code::invalid_record,
                 "a produce request has exactly one record batch for each partition"};
  }
  return make_error(error_code::invalid_required_acks, "{} is no number of acks: -1, 0 and 1 are",
                    call->request.acks);
}

void append(const produce_call& call, sent_topic& topic, const sent_partition& sent,
            answered_partition& target) {
  if (const auto fault = fault_of(call, topic, sent)) {
    return refuse(call, topic.name(), target, code_of(fault), fault->message);
  }
  broker::produce_request wanted;
  wanted.target = make_partition(topic.name(), sent.index);
  wanted.batches = to_buffer(*sent.records);
  wanted.acks = static_cast<broker::required_acks>(call->request.acks);
  wanted.timeout_ms = call->request.timeout_ms;
  const auto done = [call, &target, &sent, name = topic.name()](const auto& appended) {
    if (!appended.ok()) return refuse(call, name, target, code_of(appended), message_of(appended));
    call->metrics().produced(name, model::batch_header_view(*sent.records).count(),
                             sent.records->size());
    target.error_code = 0;
    target.base_offset = appended->base_offset.value();
    target.log_append_time_ms = appended->log_append_timestamp;
    target.log_start_offset = appended->log_start_offset.value();
  };
  call->core().produce(std::move(wanted), done);
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
  call->pause_client(call->core().quotas().charge(broker::quota_kind::produced_bytes,
                                                  call->client(),
                                                  static_cast<double>(call->frame_bytes())));
  pair_up(request.topic_data, call->response.responses, [&](const auto& topic, auto& answered) {
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    auto name = topic_name_of(call->core(), topic.name, topic.topic_id);
    const bool exists = name.has_value();
    sent_topic target_topic(call->core(), std::move(name).value_or(""));
    pair_up(topic.partition_data, answered.partition_responses,
            [&](const auto& sent, auto& target) {
              target.index = sent.index;
              target.log_start_offset = no_offset.value();
              target.error_code = not_answered;
              if (request.transactional_id) {
                refuse(call, "", target,
                       code_of(kafka_error::transactional_id_authorization_failed), std::nullopt);
              } else if (!exists) {
                refuse(call, "", target, code_of(kafka_error::unknown_topic_id), std::nullopt);
              } else {
                append(call, target_topic, sent, target);
              }
            });
  });
}

}  // namespace ringlog::server::handlers
