#include "server/handlers/handlers.h"
#include "server/handlers/translate.h"

namespace ringlog::server::handlers {
namespace {

broker::feature_update translate(const update_features_call& call,
                                 const protocol::update_features_request::feature_update& asked) {
  auto type = static_cast<broker::feature_upgrade>(asked.upgrade_type);
  if (call->version() == 0 && asked.allow_downgrade) type = broker::feature_upgrade::safe_downgrade;
  return {std::string(asked.feature), asked.max_version_level, type};
}

}  // namespace

void update_features(update_features_call call) {
  std::vector<broker::feature_update> updates;
  for (const auto& asked : call->request.feature_updates) updates.push_back(translate(call, asked));
  call->response.error_code = not_answered;
  call->response.error_message.reset();
  call->core().update_features(
      std::move(updates), call->request.validate_only, [call](const auto& updated) {
        tell(updated, call->response);
        if (!updated.ok()) return;
        for (const auto& asked : call->request.feature_updates) {
          call->response.results.push_back({std::string(asked.feature), 0, "NONE", {}});
        }
      });
}

}  // namespace ringlog::server::handlers
