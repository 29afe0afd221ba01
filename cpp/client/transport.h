#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "base/log_sink.h"
#include "base/random.h"
#include "client/service.h"
#include "client/wait.h"

namespace ringlog::client {

// What a producer, consumer or admin client works over: a broker's facade and the outside things
// that go with it. Shared by all clients of one address and kept open as long as one of them
// lives. The embedded transport (embedded_transport.h) hands out a node's broker, the remote one
// (remote/remote_transport.h) answers the same calls by Kafka's protocol. Callable from any thread;
// random() is thread-safe.
class transport {
 public:
  virtual ~transport() = default;

  virtual service& broker() = 0;
  virtual executor& engine() = 0;  // runs replies and timers, never user code
  virtual const clock& time() const = 0;
  virtual random_source& random() = 0;
  virtual log_sink& log() = 0;

  // True once the node was closed under its clients, or in a forked child: every call then fails
  // with error_code::closed and a message that says which.
  virtual status check_usable() const = 0;

  // Why calls may stay without an answer now, for the error of who waited in vain; empty: nothing
  // is known.
  virtual std::string trouble() const { return {}; }
};

// The same failure; of a wait that timed out with what is the matter with the transport.
inline error explain(const transport& over, error failure) {
  if (failure.code != error_code::timed_out) return failure;
  const std::string trouble = over.trouble();
  if (!trouble.empty()) failure.message += ": " + trouble;
  return failure;
}

// As await(), and a failure of the wait says what is the matter with the transport.
template <typename T, typename Start>
result<T> ask(const transport& over, const wait_limit& limit, std::string_view what,
              Start&& start) {
  result<T> answer = await<T>(limit, what, std::forward<Start>(start));
  return answer.ok() ? std::move(answer) : result<T>(explain(over, std::move(answer.failure())));
}

}  // namespace ringlog::client
