#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

broker::client_quota_alteration translate(
    const protocol::alter_client_quotas_request::entry& asked) {
  broker::client_quota_alteration wanted;
  for (const auto& part : asked.entity) {
    wanted.entity.emplace_back(part.entity_type, to_text(part.entity_name));
  }
  for (const auto& change : asked.ops) {
    wanted.changes.emplace_back(change.key,
                                change.remove ? std::nullopt : std::optional(change.value));
  }
  return wanted;
}

}  // namespace

void alter_client_quotas(alter_client_quotas_call call) {
  std::vector<broker::client_quota_alteration> wanted;
  pair_up(call->request.entries, call->response.entries, [&](const auto& asked, auto& target) {
    for (const auto& part : asked.entity) {
      target.entity.push_back({std::string(part.entity_type), to_text(part.entity_name), {}});
    }
    target.error_code = not_answered;
    wanted.push_back(translate(asked));
  });
  call->core().alter_client_quotas(
      std::move(wanted), call->request.validate_only, [call](const auto& altered) {
        for (std::size_t i = 0; i < call->response.entries.size(); ++i) {
          auto& target = call->response.entries[i];
          if (!altered.ok()) {
            tell(altered, target);
          } else if (const auto& failure = (*altered)[i]) {
            tell(status(*failure), target);
          } else {
            tell(status(), target);
          }
        }
      });
}

}  // namespace ringlog::server::handlers
