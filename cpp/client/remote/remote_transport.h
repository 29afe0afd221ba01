#pragma once

#include <memory>

#include "client/remote/remote_options.h"
#include "client/transport.h"

namespace ringlog::client::remote {

// The transport to a cluster at the other end of a network, for one client: its own connections,
// driven by the process's network thread. Blocks until a bootstrap server has told of its cluster.
// At the limit not_connected, with the stage that failed last and its cause.
result<std::shared_ptr<transport>> connect(remote_options options, const wait_limit& limit);

// For the end of the process: network_thread::end_shared().
void end_network(milliseconds wait_max);

}  // namespace ringlog::client::remote
