#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void incremental_alter_configs(incremental_alter_configs_call call) {
  pair_up(call->request.resources, call->response.responses, [&](const auto& asked, auto& target) {
    const broker::config_resource resource = name_resource(asked, target);
    target.error_code = not_answered;
    std::vector<broker::config_alteration> changes;
    for (const auto& config : asked.configs) {
      changes.push_back({std::string(config.name), to_text(config.value),
                         static_cast<broker::alter_operation>(config.config_operation)});
    }
    call->core().alter_configs(resource, std::move(changes), call->request.validate_only,
                               [call, &target](const auto& altered) { tell(altered, target); });
  });
}

}  // namespace ringlog::server::handlers
