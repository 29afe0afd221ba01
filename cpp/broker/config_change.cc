#include "broker/config_change.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace ringlog::broker {

status apply(const config_alteration& change, std::optional<std::string_view> list,
             model::config_map& values) {
  if (change.operation == alter_operation::remove) {
    values.erase(change.name);
    return {};
  }
  if (!change.value) {
    return make_error(error_code::invalid_config, "Null value not supported for : {}", change.name);
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
