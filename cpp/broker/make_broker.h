#pragma once

#include <memory>

#include "base/result.h"
#include "broker/broker.h"
#include "broker/services.h"

namespace ringlog::broker {

// The broker of this node, over opened logs and an active metadata controller, whose listener it
// becomes. Partition directories that metadata does not know are set aside first, as Kafka does.
// error_code::invalid_config when a static setting is wrong. To end: broker::close, let the engine
// run what is under way (closing the log_manager waits for it), destroy.
result<std::unique_ptr<broker>> make_broker(broker_services outside, broker_options options);

}  // namespace ringlog::broker
