#pragma once

#include <memory>

#include "client/transport.h"
#include "node/node.h"

namespace ringlog::client {

// The transport to a log that is open in this process: hands out the node's broker and keeps the
// node open.
std::shared_ptr<transport> make_embedded_transport(std::shared_ptr<node::node> opened);

}  // namespace ringlog::client
