#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void get_telemetry_subscriptions(get_telemetry_subscriptions_call call) {
  protocol::get_telemetry_subscriptions_response& response = call->response;
  const auto found = call->telemetry().subscribe(call->core(), call->request.client_instance_id,
                                                 {call->client_id(), call->from().host});
  if (!found) {
    response.error_code = code_of(model::kafka_error::throttling_quota_exceeded);
    response.client_instance_id = call->request.client_instance_id;
    return;
  }
  response.client_instance_id = found->client;
  response.subscription_id = found->id;
  for (const auto type : {compression_type::zstd, compression_type::lz4, compression_type::gzip,
                          compression_type::snappy}) {
    response.accepted_compression_types.push_back(static_cast<std::int8_t>(type));
  }
  response.push_interval_ms = static_cast<std::int32_t>(found->interval.count());
  response.telemetry_max_bytes = limits::telemetry_bytes_max;
  response.delta_temporality = true;
  response.requested_metrics = found->metrics;
}

}  // namespace ringlog::server::handlers
