#include "broker/config_change.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace ringlog::broker {

status check_changes(const std::vector<config_alteration>& changes) {
  std::set<std::string_view> names;
  std::vector<std::string_view> without_value;
  for (const config_alteration& change : changes) {
    if (!names.insert(change.name).second) {
      return error{error_code::invalid_argument, "Error due to duplicate config keys"};
    }
    const auto operation = static_cast<int>(change.operation);
    if (operation < 0 || change.operation > alter_operation::subtract) {
      return make_error(error_code::invalid_argument, "Unknown operation type {}", operation);
    }
    if (change.operation != alter_operation::remove && !change.value) {
      without_value.push_back(change.name);
    }
  }
  if (without_value.empty()) return {};
  return make_error(error_code::invalid_argument, "Null value not supported for : {}",
                    fmt::join(without_value, ", "));
}

status apply(const config_alteration& change, std::optional<std::string_view> list,
             model::config_map& values) {
  if (change.operation == alter_operation::remove) {
    values.erase(change.name);
    return {};
  }
  if (change.operation == alter_operation::set) {
    values[change.name] = *change.value;
    return {};
  }
  const bool appends = change.operation == alter_operation::append;
  if (!list) {
    return make_error(error_code::invalid_config,
                      "Can't {} to key {} because its type is not LIST.",
                      appends ? "APPEND" : "SUBTRACT", change.name);
  }
  const auto set = values.find(change.name);
  auto items = model::split_list(set != values.end() ? std::string_view(set->second) : *list);
  for (const std::string& item : model::split_list(*change.value)) {
    const auto found = std::ranges::find(items, item);
    if (!appends && found != items.end()) items.erase(found);
    if (appends && found == items.end()) items.push_back(item);
  }
  values[change.name] = fmt::format("{}", fmt::join(items, ","));
  return {};
}

}  // namespace ringlog::broker
