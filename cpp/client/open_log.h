#pragma once

#include <memory>
#include <string_view>

#include "client/remote/remote_options.h"
#include "client/transport.h"
#include "model/config_def.h"

namespace ringlog::client {

// The transport to the log of an address "file:..." or "memory:...", for one client: to the log
// itself where it is open in this process or can be opened here (node::open), else over the socket
// of the process that has it open. The options are for the latter; it is waited for until the
// limit. Fails as node::open and remote::connect_to_owner do.
result<std::shared_ptr<transport>> open_log(std::string_view address,
                                            const model::config_map& settings,
                                            remote::remote_options options,
                                            const wait_limit& limit);

}  // namespace ringlog::client
