#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/consumer_options.h"
#include "client/producer.h"
#include "client/remote/remote_options.h"

namespace ringlog::app {

// Settings by Kafka's names.
using properties = std::map<std::string, std::string>;

// Of a file in Java's format; without a name none.
result<properties> read_client_properties(const std::string& file);

// Those of a file, then "NAME=VALUE" each.
result<properties> client_properties_of(const std::string& file,
                                        const std::vector<std::string>& settings);

// Each into its option. A producer's and a consumer's may be mixed with those of connections, which
// take and leave all three. error_code::invalid_argument for what is no setting of our clients,
// unsupported for what they cannot do.
status apply_connection_properties(const properties& given,
                                   client::remote::remote_options& options);
status apply_producer_properties(const properties& given, client::producer_options& options);
status apply_consumer_properties(const properties& given, client::consumer_options& options);

}  // namespace ringlog::app
