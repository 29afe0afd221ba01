#pragma once

#include <string>
#include <vector>

#include "client/consumer_options.h"
#include "client/producer.h"

namespace ringlog::app {

// "NAME=VALUE" by Kafka's names, each into its option; error_code::invalid_argument for what is no
// setting of our clients. Those that only name where and as whom to connect are taken and ignored.
status apply_producer_properties(const std::vector<std::string>& properties,
                                 client::producer_options& options);
status apply_consumer_properties(const std::vector<std::string>& properties,
                                 client::consumer_options& options);

}  // namespace ringlog::app
