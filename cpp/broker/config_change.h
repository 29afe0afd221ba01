#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/types.h"
#include "model/config_def.h"

// Changes of configs as requests have them (KIP-339; Kafka: ConfigAdminManager; its sentences).
namespace ringlog::broker {

// What is wrong with changes of one resource whatever it is: a config that stands there twice, or
// is to be changed to nothing. error_code::invalid_argument.
status check_changes(const std::vector<config_alteration>& changes);

// One change, checked so, upon the values as they are. `list` is what a list has while it is not
// set itself; none: the config is no list, or cannot be changed by items.
// error_code::invalid_config.
status apply(const config_alteration& change, std::optional<std::string_view> list,
             model::config_map& values);

}  // namespace ringlog::broker
