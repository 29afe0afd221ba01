#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void push_telemetry(push_telemetry_call call) {
  const protocol::push_telemetry_request& request = call->request;
  client_telemetry::push pushed;
  pushed.client = request.client_instance_id;
  pushed.subscription_id = request.subscription_id;
  pushed.is_last = request.terminating;
  pushed.compression = static_cast<compression_type>(request.compression_type);
  pushed.metrics = request.metrics;
  call->response.error_code =
      code_of(call->telemetry().take(call->core(), pushed, {call->client_id(), call->from().host}));
}

}  // namespace ringlog::server::handlers
