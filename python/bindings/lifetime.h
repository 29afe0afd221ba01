#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/transport.h"
#include "python.h"

namespace ringlog::python {

// The transport of a client's options: to the cluster of the hosts that `network` names; where it
// names none, to the log of `address` with `broker_config`, opened when nobody has it open yet.
// Releases the GIL.
std::shared_ptr<client::transport> open_transport(const py::dict& options);

// Those of the named topics that exist; without names all. Releases the GIL and raises.
std::vector<broker::topic_description> look_up_topics(client::transport& over,
                                                      std::optional<std::vector<std::string>> names,
                                                      const client::wait_limit& limit);

// How long the interpreter's end waits for a producer's records.
inline constexpr milliseconds shutdown_flush_max{5'000};

// A producer was let go without close(): its records go on in the background, over its transport.
// The log is not closed before they have their outcome, for shutdown_flush_max at most.
void let_go(std::weak_ptr<client::transport> over);

// A client that is open: told to end, in the order of registration, before the interpreter goes
// away. `end` runs without the GIL, takes a bounded time and may come while the client is in use
// elsewhere or going away.
class open_client {
 public:
  explicit open_client(std::function<void()> end);
  ~open_client();
  open_client(const open_client&) = delete;
  open_client& operator=(const open_client&) = delete;

 private:
  const std::uint64_t id_;
};

}  // namespace ringlog::python
