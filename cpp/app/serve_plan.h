#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/config_def.h"
#include "node/serving.h"

namespace ringlog::app {

// As given on the command line; empty: not given.
struct serve_arguments {
  std::optional<std::string> data;
  std::vector<std::string> listen;
  std::optional<std::string> advertise;
  std::optional<std::string> http;
  std::size_t nodes = 1;
  std::optional<std::string> config_file;
  std::vector<std::string> settings;  // NAME=VALUE
};

struct serve_plan {
  std::string address;  // for node::open
  model::config_map settings;
  node::serving_options serving;
  std::vector<std::string> warnings;
};

// What `ringlog serve` is to do. Settings, strongest first: those of the command line, KAFKA_*
// variables of the environment ("NAME=VALUE" each), the file (Kafka's server.properties); beneath
// them node::open puts server.properties of the data directory. --listen, --advertise and --data
// stand before `listeners`, `advertised.listeners` and `log.dirs`, which are taken from them all
// but the data directory. A name that Kafka's broker does not know is an error on the command line
// and a warning elsewhere.
result<serve_plan> plan_to_serve(const serve_arguments& given,
                                 const std::vector<std::string>& environment);

}  // namespace ringlog::app
