#pragma once

#include <memory>

#include "client/remote/remote_options.h"
#include "client/transport.h"
#include "node/address.h"

namespace ringlog::client::remote {

// The transport to a cluster at the other end of a network, for one client: its own connections,
// driven by the process's network thread. Blocks until a bootstrap server has told of its cluster.
// At the limit not_connected, with the stage that failed last and its cause.
result<std::shared_ptr<transport>> connect(remote_options options, const wait_limit& limit);

// The same to the log of a directory that another process has open. When that process ends, this
// one or another takes the log over, and the client goes on. error_code::locked when the lock is
// held by who shares nothing; invalid_config naming one of `settings` (of the broker) that the log
// has another value for.
result<std::shared_ptr<transport>> connect_to_owner(const node::log_address& address,
                                                    const model::config_map& settings,
                                                    remote_options options,
                                                    const wait_limit& limit);

// For the end of the process: network_thread::end_shared().
void end_network(milliseconds wait_max);

}  // namespace ringlog::client::remote
