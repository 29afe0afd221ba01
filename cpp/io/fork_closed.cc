#include "io/fork_closed.h"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <vector>

namespace ringlog::io {
namespace {

// A bit for each descriptor. Lives as long as the process, so that no destructor runs after it.
struct fork_closed {
  std::mutex mutex;
  std::vector<bool> chosen;

  static fork_closed& instance() {
    static fork_closed& made = *make();
    return made;
  }

 private:
  static fork_closed* make() {
    // A fork waits for a change: else the child would inherit a mutex locked for ever.
    ::pthread_atfork([] { instance().mutex.lock(); }, [] { instance().mutex.unlock(); },
                     [] { instance().close_all(); });
    return new fork_closed;
  }

  // In a forked child.
  void close_all() {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i]) ::close(static_cast<int>(i));
    }
    chosen.assign(chosen.size(), false);
    mutex.unlock();
  }
};

}  // namespace

void close_when_forked(int descriptor) {
  fork_closed& all = fork_closed::instance();
  const auto place = static_cast<std::size_t>(descriptor);
  const std::lock_guard guard(all.mutex);
  if (all.chosen.size() <= place) all.chosen.resize(place + 1);
  all.chosen[place] = true;
}

bool keep_when_forked(int descriptor) {
  fork_closed& all = fork_closed::instance();
  const auto place = static_cast<std::size_t>(descriptor);
  const std::lock_guard guard(all.mutex);
  const bool was_chosen = all.chosen[place];
  all.chosen[place] = false;
  return was_chosen;
}

}  // namespace ringlog::io
