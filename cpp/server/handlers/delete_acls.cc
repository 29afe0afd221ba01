#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void delete_acls(delete_acls_call call) {
  pair_up(call->request.filters, call->response.filter_results, [](const auto&, auto& target) {
    target.error_code = code_of(model::kafka_error::security_disabled);
    target.error_message = no_authorizer;
  });
}

}  // namespace ringlog::server::handlers
