#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

// New partitions lie on the one node there is, so assignments say nothing new.
void create_partitions(create_partitions_call call) {
  pair_up(call->request.topics, call->response.results, [&](const auto& asked, auto& target) {
    target.name = asked.name;
    target.error_code = not_answered;
    call->core().create_partitions(std::string(asked.name), asked.count,
                                   call->request.validate_only,
                                   [call, &target](const auto& grown) { tell(grown, target); });
  });
}

}  // namespace ringlog::server::handlers
