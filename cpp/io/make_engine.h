#pragma once

#include <memory>
#include <string>

#include "base/log_sink.h"
#include "io/loop.h"

namespace ringlog::io {

enum class engine_choice : std::uint8_t { automatic, uring, epoll };

// What RINGLOG_IO asks for: "uring", "epoll", unset or empty for automatic. Anything else fails.
result<engine_choice> engine_choice_from_environment();

// What this system offers, asked once per process by building a ring.
struct capabilities {
  bool io_uring = false;
  bool deferred_task_work = false;  // of io_uring: Linux 6.1 and later
  std::string io_uring_refusal;     // why there is none, and what to do; empty when there is
};
const capabilities& probe_capabilities(const clock& time);

// Makes the engine that was asked for; automatic means io_uring, and where that is refused epoll
// with one warning that says why. Fails when the one asked for by name is refused, or when not even
// the fallback can be made. Clock and sink outlive the engine.
result<std::unique_ptr<loop>> make_engine(engine_choice choice, const clock& time, log_sink& sink);

}  // namespace ringlog::io
