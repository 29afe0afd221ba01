#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void describe_acls(describe_acls_call call) {
  call->response.error_code = code_of(model::kafka_error::security_disabled);
  call->response.error_message = "No Authorizer is configured on the broker";
}

}  // namespace ringlog::server::handlers
