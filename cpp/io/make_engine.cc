#include "io/make_engine.h"

#include <cstdlib>

#include "base/limits.h"
#include "io/epoll_engine.h"
#include "io/uring_engine.h"

namespace ringlog::io {
namespace {

template <typename Engine>
result<std::unique_ptr<loop>> as_loop(result<std::unique_ptr<Engine>> made) {
  if (!made.ok()) return std::move(made.failure());
  return std::unique_ptr<loop>(std::move(made).value());
}

}  // namespace

result<engine_choice> engine_choice_from_environment() {
  const char* value = std::getenv("RINGLOG_IO");
  const std::string_view wanted = value == nullptr ? "" : value;
  if (wanted.empty()) return engine_choice::automatic;
  if (wanted == "uring") return engine_choice::uring;
  if (wanted == "epoll") return engine_choice::epoll;
  return make_error(error_code::invalid_config,
                    "RINGLOG_IO is '{}': set it to uring or epoll, or leave it unset", wanted);
}

const capabilities& probe_capabilities(const clock& time) {
  static const capabilities probed = [&] {
    capabilities found;
    const auto ring = uring_engine::make(time);
    found.io_uring = ring.ok();
    if (ring.ok()) {
      found.deferred_task_work = (*ring)->probed().deferred_task_work;
    } else {
      found.io_uring_refusal = ring.failure().message;
    }
    return found;
  }();
  return probed;
}

result<std::unique_ptr<loop>> make_engine(engine_choice choice, const clock& time, log_sink& sink) {
  if (choice != engine_choice::epoll) {
    auto ring = uring_engine::make(time);
    if (ring.ok() || choice == engine_choice::uring) return as_loop(std::move(ring));
    sink.log(log_level::warning,
             "{}. Files are written by a pool of {} threads instead; RINGLOG_IO=epoll asks for "
             "that without this line",
             ring.failure().message, limits::io_pool_threads);
  }
  return as_loop(epoll_engine::make(time));
}

}  // namespace ringlog::io
