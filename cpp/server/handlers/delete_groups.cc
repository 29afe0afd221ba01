#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void delete_groups(delete_groups_call call) {
  pair_up(call->request.groups_names, call->response.results,
          [&](std::string_view group, auto& target) {
            target.group_id = group;
            target.error_code = not_answered;
            call->core().delete_group(std::string(group), [call, &target](const auto& deleted) {
              target.error_code = code_of(deleted);
            });
          });
}

}  // namespace ringlog::server::handlers
