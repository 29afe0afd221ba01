#include <algorithm>
#include <cctype>

#include "broker/supported_features.h"
#include "server/handlers/handlers.h"
#include "server/served_apis.h"

namespace ringlog::server::handlers {
namespace {

// As KIP-511 wants the name and version of a client's library.
bool is_software_text(std::string_view text) {
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto is_allowed = [&](char c) { return is_plain(c) || c == '.' || c == '-'; };
  return !text.empty() && is_plain(text.front()) && is_plain(text.back()) &&
         std::ranges::all_of(text, is_allowed);
}

void add_features(const api_versions_call& call) {
  protocol::api_versions_response& response = call->response;
  const auto cluster = call->core().describe_cluster();
  for (const broker::supported_feature& ours : broker::supported_features) {
    // Before version 4 clients took a range from 0 for an error (KAFKA-17011).
    if (ours.highest > 0 && (ours.lowest > 0 || call->version() >= 4)) {
      response.supported_features.push_back(
          {std::string(ours.name), ours.lowest, ours.highest, {}});
    }
    const auto set = cluster.features.find(ours.name);
    const std::int16_t level = set == cluster.features.end() ? std::int16_t{0} : set->second;
    const std::int16_t shown = std::min(level, ours.highest);
    if (shown > 0) {
      response.finalized_features.push_back({std::string(ours.name), shown, shown, {}});
    }
  }
  response.finalized_features_epoch = static_cast<std::int64_t>(call->core().metadata_version());
}

}  // namespace

void api_versions(api_versions_call call) {
  protocol::api_versions_response& response = call->response;
  const bool is_refused = response.error_code != 0;
  const bool names_software =
      call->version() < 3 || (is_software_text(call->request.client_software_name) &&
                              is_software_text(call->request.client_software_version));
  if (!names_software) {
    response.error_code = code_of(model::kafka_error::invalid_request);
    return;
  }
  for (const protocol::api_info* api : served_apis()) {
    if (is_refused && api->key != protocol::api_versions_request::info.api_key) continue;
    const version_range offered = offered_versions(*api, call->shared());
    if (offered.is_empty()) continue;
    response.api_keys.push_back({api->key, offered.lowest, offered.highest, {}});
  }
  if (!is_refused) add_features(call);
}

}  // namespace ringlog::server::handlers
