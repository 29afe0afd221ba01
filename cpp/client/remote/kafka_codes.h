#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace ringlog::client::remote {

// Nothing could be asked, so nothing has happened: a broker that is not reached is to a client what
// a coordinator is that is not there yet.
inline constexpr error_code nobody_there = error_code::coordinator_not_available;

// In an answer about a topic: it is there, or soon will be.
inline constexpr std::int16_t leader_not_available = 5;

// What a client makes of Kafka's error number. Of those that have no code here, the ones that pass
// become codes after which clients do the same, the rest error_code::internal.
error_code code_of(std::int16_t number);

// Success, or what Kafka's number says, with the broker's own words where it has some.
status check_code(std::int16_t number, const std::optional<std::string>& message = std::nullopt);

// Failures that the same request may not meet again.
bool is_passing(error_code code);

}  // namespace ringlog::client::remote
