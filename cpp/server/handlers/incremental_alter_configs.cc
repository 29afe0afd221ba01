#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {

void incremental_alter_configs(incremental_alter_configs_call call) {
  pair_up(call->request.resources, call->response.responses, [&](const auto& asked, auto& target) {
    target.resource_type = asked.resource_type;
    target.resource_name = asked.resource_name;
    target.error_code = not_answered;
    std::vector<broker::config_alteration> changes;
    for (const auto& config : asked.configs) {
      changes.push_back({std::string(config.name), to_text(config.value),
                         static_cast<broker::alter_operation>(config.config_operation)});
    }
    call->core().alter_configs(
        {static_cast<broker::resource_type>(asked.resource_type), target.resource_name},
        std::move(changes), call->request.validate_only, [call, &target](const auto& altered) {
          target.error_code = code_of(altered);
          target.error_message = message_of(altered);
        });
  });
}

}  // namespace ringlog::server::handlers
