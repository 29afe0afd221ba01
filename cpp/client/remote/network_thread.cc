#include "client/remote/network_thread.h"

#include <pthread.h>

#include <mutex>
#include <thread>
#include <utility>

#include "io/make_engine.h"
#include "node/fork_guard.h"

namespace ringlog::client::remote {
namespace {

struct shared_place {
  std::mutex mutex;
  std::shared_ptr<network_thread> current;
};
std::atomic<shared_place*> known_place{nullptr};

// Lives to the end of the process. A forked child begins with an empty one: the parent's, its mutex
// held perhaps, is left where it is.
shared_place& place() {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { known_place = nullptr; });
  static_cast<void>(registered);
  shared_place* known = known_place.load();
  if (known != nullptr) return *known;
  auto made = std::make_unique<shared_place>();
  if (known_place.compare_exchange_strong(known, made.get())) return *made.release();
  return *known;
}

constexpr milliseconds look_again{2};

}  // namespace

result<std::shared_ptr<network_thread>> network_thread::shared() {
  shared_place& here = place();
  const std::lock_guard guard(here.mutex);
  if (here.current != nullptr) return here.current;
  static io::system_clock clock;
  static node::stderr_log_sink log;
  TRY_ASSIGN(const io::engine_choice choice, io::engine_choice_from_environment());
  TRY_ASSIGN(auto loop, io::make_engine(choice, clock, log));
  here.current.reset(new network_thread(std::move(loop)));
  return here.current;
}

void network_thread::end_shared(milliseconds wait_max) {
  shared_place& here = place();
  std::shared_ptr<network_thread> ending;
  {
    const std::lock_guard guard(here.mutex);
    ending = std::move(here.current);
    here.current.reset();
  }
  if (ending != nullptr) ending->end(wait_max);
}

network_thread::network_thread(std::unique_ptr<io::loop> made)
    : loop_(std::move(made)), network_(*loop_, clock_), forks_(node::fork_generation()) {
  thread_.start(*loop_, "ringlog-client");
}

network_thread::~network_thread() { end(milliseconds(0)); }

void network_thread::end(milliseconds wait_max) {
  if (ended_.exchange(true)) return;
  // What was posted before counts, too.
  call_began();
  loop_->post([this] { call_ended(); });
  const monotonic_time end = clock_.now() + wait_max;
  while (calls_.load() > 0 && clock_.now() < end) std::this_thread::sleep_for(look_again);
  loop_->post([this] {
    network_.close_all(make_error(error_code::closed, "the process's network clients were ended"));
  });
  thread_.stop();
  loop_->discard();
}

status network_thread::check_usable() const {
  if (forks_ != node::fork_generation()) {
    return make_error(error_code::closed,
                      "this process was forked after the client was made: its connections belong "
                      "to the parent; make clients after the fork");
  }
  if (ended_.load()) {
    return make_error(error_code::closed, "the network clients of this process were ended");
  }
  return {};
}

}  // namespace ringlog::client::remote
