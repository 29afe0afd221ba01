#include <algorithm>

#include "broker/client_quotas.h"
#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

using model::kafka_error;
using answered_partition = protocol::fetch_response::partition_data;

// One view of all batches; bytes that lie in several places are put together.
protocol::records_ref join(const fetch_call& call, const std::vector<shared_bytes>& batches) {
  if (batches.empty()) return {};
  if (batches.size() == 1) {
    call->keep(batches.front().owner);
    return batches.front().bytes;
  }
  const auto all = std::make_shared<byte_buffer>();
  std::size_t size = 0;
  for (const shared_bytes& part : batches) size += part.bytes.size();
  all->reserve(size);
  for (const shared_bytes& part : batches) append(*all, part.bytes);
  call->keep(all);
  return bytes_view(*all);
}

void fill(const fetch_call& call, const broker::fetched_partition& source,
          answered_partition& target) {
  if (source.failure) {
    target.error_code = code_of(source.failure);
    call->metrics().fetch_failed(source.source.topic);
    return;
  }
  target.error_code = 0;
  target.high_watermark = source.high_watermark.value();
  target.last_stable_offset = source.last_stable_offset.value();
  target.log_start_offset = source.log_start_offset.value();
  target.records = join(call, source.batches);
  call->metrics().fetched(source.source.topic, target.records->size());
  if (!target.aborted_transactions) return;
  for (const broker::aborted_transaction& aborted : source.aborted) {
    target.aborted_transactions->push_back(
        {aborted.producer.value(), aborted.first_offset.value(), {}});
  }
}

// A request under way; its answers stand beside the plan's partitions.
struct fetching {
  fetch_session_cache::plan plan;
  std::vector<answered_partition> answers;
  std::vector<answered_partition*> asked_of_core;  // of them
};

// In the order of the plan, with what is known before the core was asked.
void shape(const fetch_call& call, fetching& work, broker::fetch_request& wanted) {
  const fetch_source* before = nullptr;
  std::optional<std::string> name;
  pair_up(work.plan.partitions, work.answers, [&](const auto& source, auto& target) {
    if (before == nullptr || before->topic != source.topic || before->topic_id != source.topic_id) {
      name = topic_name_of(call->core(), source.topic, source.topic_id);
      before = &source;
    }
    target.partition_index = source.partition;
    target.high_watermark = no_offset.value();
    if (wanted.isolation == isolation_level::read_uncommitted) target.aborted_transactions.reset();
    if (!name) {
      target.error_code = code_of(kafka_error::unknown_topic_id);
      wanted.wait_ms_max = 0;
      return;
    }
    wanted.partitions.push_back({make_partition(*name, source.partition),
                                 offset_t(source.fetch_offset), source.bytes_max,
                                 leader_epoch_t(source.leader_epoch)});
    work.asked_of_core.push_back(&target);
  });
}

broker::fetch_request without_partitions(const fetch_call& call) {
  const protocol::fetch_request& request = call->request;
  const shared_state& shared = call->shared();
  const std::int64_t room = shared.limits.answer_bytes_max - shared.answer_bytes;
  broker::fetch_request wanted;
  wanted.wait_ms_max = request.max_wait_ms;
  wanted.bytes_min = request.min_bytes;
  wanted.bytes_max = std::clamp<std::int64_t>(
      request.max_bytes, 0, std::clamp<std::int64_t>(room, 0, shared.limits.fetch_bytes_max));
  wanted.isolation = to_isolation(request.isolation_level);
  wanted.may_block = false;
  const double quota =
      call->core().quotas().most_at_once(broker::quota_kind::fetched_bytes, call->client());
  if (quota < static_cast<double>(wanted.bytes_max)) {
    wanted.bytes_max = static_cast<std::int64_t>(quota);
  }
  return wanted;
}

// As in Kafka, a client that has had too much gets nothing this time, and pays for nothing.
bool has_to_pause(const fetch_call& call, const broker::fetch_answer& answer) {
  broker::client_quotas& quotas = call->core().quotas();
  constexpr auto kind = broker::quota_kind::fetched_bytes;
  if (!quotas.has_any(kind)) return false;
  std::size_t bytes = 0;
  for (const auto& partition : answer.partitions) {
    for (const shared_bytes& part : partition.batches) bytes += part.bytes.size();
  }
  const auto amount = static_cast<double>(bytes);
  const milliseconds pause = quotas.charge(kind, call->client(), amount);
  if (pause == milliseconds(0)) return false;
  quotas.refund(kind, call->client(), amount);
  call->pause_client(pause);
  return true;
}

}  // namespace

void fetch(fetch_call call) {
  const auto work = std::make_shared<fetching>();
  work->plan = call->fetch_sessions().begin(call->request, call->version());
  if (work->plan.failure != kafka_error::none) {
    call->response.error_code = code_of(work->plan.failure);
    return;
  }
  call->response.error_code = not_answered;
  broker::fetch_request wanted = without_partitions(call);
  shape(call, *work, wanted);
  broker::broker& core = call->core();
  const auto token = core.fetch(std::move(wanted), [call, work](const auto& answer) {
    if (!answer.ok()) {
      call->response.error_code = code_of(answer);
      return;
    }
    if (has_to_pause(call, *answer)) {
      return fetch_session_cache::finish_without_answers(work->plan, call->response);
    }
    for (std::size_t i = 0; i < work->asked_of_core.size(); ++i) {
      fill(call, answer->partitions[i], *work->asked_of_core[i]);
    }
    call->fetch_sessions().finish(work->plan, work->answers, call->response);
  });
  call->when_abandoned([&core, token] { core.cancel_fetch(token); });
}

}  // namespace ringlog::server::handlers
