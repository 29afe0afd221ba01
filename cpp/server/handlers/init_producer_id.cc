#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void init_producer_id(init_producer_id_call call) {
  const protocol::init_producer_id_request& request = call->request;
  call->response.error_code = not_answered;
  std::optional<broker::producer_identity> current;
  if (request.producer_id != no_producer_id.value()) {
    current = {producer_id_t(request.producer_id), producer_epoch_t(request.producer_epoch)};
  }
  call->core().init_producer_id(to_text(request.transactional_id), current,
                                [call](const auto& given) {
                                  protocol::init_producer_id_response& response = call->response;
                                  response.error_code = code_of(given);
                                  if (!given.ok()) return;
                                  response.producer_id = given->id.value();
                                  response.producer_epoch = given->epoch.value();
                                });
}

}  // namespace ringlog::server::handlers
