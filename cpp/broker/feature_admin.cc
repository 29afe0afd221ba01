#include "broker/feature_admin.h"

#include <algorithm>
#include <string>
#include <utility>

#include "broker/supported_features.h"

namespace ringlog::broker {
namespace {

constexpr std::string_view metadata_version = "metadata.version";
constexpr std::string_view quorum_version = "kraft.version";

template <typename... Values>
error refusal(fmt::format_string<Values...> text, Values&&... values) {
  return make_error(error_code::invalid_update_version, text, std::forward<Values>(values)...);
}

bool is_known(feature_upgrade type) {
  return type == feature_upgrade::upgrade || type == feature_upgrade::safe_downgrade ||
         type == feature_upgrade::unsafe_downgrade;
}

status check_range(const feature_update& update, const supported_feature* known, node_id_t node) {
  if (update.level < 0) return refusal("A feature version cannot be less than 0.");
  if (known == nullptr && update.level == 0)
    return refusal("Feature {} not found.", update.feature);
  if (known == nullptr) return refusal("Local controller {} does not support this feature.", node);
  if (update.level >= known->lowest && update.level <= known->highest) return {};
  return refusal("Local controller {} only supports versions {}-{}", node, known->lowest,
                 known->highest);
}

status check_direction(const feature_update& update, std::int16_t now) {
  if (update.level >= now) return {};
  if (update.type == feature_upgrade::upgrade) {
    return refusal(
        "Can't downgrade the version of this feature without setting the upgrade type to either "
        "safe or unsafe downgrade.");
  }
  if (update.feature == metadata_version) {
    return refusal("metadata.version {} cannot be taken back to {}: its records might be lost.",
                   now, update.level);
  }
  return {};
}

// Whether there is something to change.
result<bool> check(const feature_update& update, const metadata::image& image, node_id_t node) {
  if (!is_known(update.type)) {
    return refusal("The controller does not support the given upgrade type.");
  }
  const auto known =
      std::ranges::find(supported_features, update.feature, &supported_feature::name);
  const bool is_supported = known != supported_features.end();
  TRY(check_range(update, is_supported ? &*known : nullptr, node));
  const std::int16_t now = std::min(image.feature_level(update.feature), known->highest);
  if (update.level == now) return false;
  if (update.feature == quorum_version) {
    return refusal("The version of the quorum stays as the directory was formatted.");
  }
  TRY(check_direction(update, now));
  return true;
}

}  // namespace

void update_features(const broker_services& outside, node_id_t node,
                     const std::vector<feature_update>& updates, bool validate_only,
                     reply<std::monostate> done) {
  const auto image = outside.controller.published();
  std::vector<std::pair<std::string, std::int16_t>> levels;
  for (const feature_update& update : updates) {
    const auto changes = check(update, *image, node);
    if (!changes.ok()) {
      return done(refusal(
          "The update failed for all features since the following feature had an error: Invalid "
          "update version {} for feature {}. {}",
          update.level, update.feature, changes.failure().message));
    }
    if (*changes) levels.emplace_back(update.feature, update.level);
  }
  if (validate_only || levels.empty()) return done(std::monostate());
  outside.controller.update_features(std::move(levels),
                                     [done = std::move(done)](const status& stored) mutable {
                                       if (!stored.ok()) return done(stored.failure());
                                       done(std::monostate());
                                     });
}

}  // namespace ringlog::broker
