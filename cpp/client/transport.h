#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "base/log_sink.h"
#include "base/random.h"
#include "broker/broker.h"

namespace ringlog::client {

// What a producer, consumer or admin client works over: a broker's facade and the outside things
// that go with it. Shared by all clients of one address and kept open as long as one of them
// lives. The embedded transport (embedded_transport.h) hands out a node's broker; a remote one will
// answer the same facade by Kafka's protocol. Callable from any thread; random() is thread-safe.
class transport {
 public:
  virtual ~transport() = default;

  virtual broker::broker& broker() = 0;
  virtual executor& engine() = 0;  // runs replies and timers, never user code
  virtual const clock& time() const = 0;
  virtual random_source& random() = 0;
  virtual log_sink& log() = 0;

  // True once the node was closed under its clients, or in a forked child: every call then fails
  // with error_code::closed and a message that says which.
  virtual status check_usable() const = 0;
};

}  // namespace ringlog::client
