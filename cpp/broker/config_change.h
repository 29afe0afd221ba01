#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "broker/types.h"
#include "model/config_def.h"

namespace ringlog::broker {

// One change upon the values as they are (KIP-339; Kafka: ConfigAdminManager). `list` is what a
// list has while it is not set itself; none: the config is no list, or cannot be changed by items.
// error_code::invalid_config in Kafka's words.
status apply(const config_alteration& change, std::optional<std::string_view> list,
             model::config_map& values);

}  // namespace ringlog::broker
