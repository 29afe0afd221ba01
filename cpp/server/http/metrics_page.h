#pragma once

#include <memory>

#include "base/task.h"
#include "server/http/http_answer.h"
#include "server/shared_state.h"

namespace ringlog::server {

// What a server has counted and what its broker knows, in Prometheus' text format under the names
// that the usual exporters of Kafka give (JMX beans in lower case; consumer groups as
// kafka_exporter has them). Begun on the calling thread; answers on any, when the groups have told
// their positions, with what is left to do for the page.
void make_metrics_page(std::shared_ptr<shared_state> shared, callback<void(http_writer)> done);

}  // namespace ringlog::server
