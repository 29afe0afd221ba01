#pragma once

#include <vector>

#include "model/config_def.h"
#include "node/serving.h"

namespace ringlog::app {

// Kafka's `listeners` and `advertised.listeners` ("NAME://HOST:PORT,..."), with their protocols in
// `listener.security.protocol.map`; empty when neither is set. Those of the controller are left
// out. With advertised.listeners alone their ports are listened on at all addresses, as container
// images do it. invalid_config for what Kafka refuses; unsupported for TLS and SASL.
result<std::vector<node::listener>> listeners_of(const model::config_map& settings);

}  // namespace ringlog::app
