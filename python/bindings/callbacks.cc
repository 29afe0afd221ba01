#include "callbacks.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "python.h"

namespace ringlog::python {
namespace {

constexpr std::chrono::seconds stop_wait_max{5};

// Lives to the end of the process, so that a late post finds it.
struct callback_queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<task> waiting;
  bool started = false;
  bool stopping = false;
  bool ended = false;
};

callback_queue& queue() {
  static auto* made = new callback_queue;
  return *made;
}

thread_local bool is_callback_thread = false;

void run_with_gil(task& work) {
  const py::gil_scoped_acquire acquired;
  try {
    work();
  } catch (py::error_already_set& raised) {
    raised.discard_as_unraisable("a ringlog callback");
  }
  work = nullptr;  // lets go of Python objects while the GIL is held
}

void run_callbacks() {
  is_callback_thread = true;
  callback_queue& tasks = queue();
  std::unique_lock guard(tasks.mutex);
  for (;;) {
    tasks.changed.wait(guard, [&] { return tasks.stopping || !tasks.waiting.empty(); });
    if (tasks.waiting.empty()) break;
    task work = std::move(tasks.waiting.front());
    tasks.waiting.pop_front();
    guard.unlock();
    run_with_gil(work);
    guard.lock();
  }
  tasks.ended = true;
  tasks.changed.notify_all();
}

}  // namespace

void post_callback(task work) {
  callback_queue& tasks = queue();
  const std::lock_guard guard(tasks.mutex);
  if (tasks.stopping) {
    // The interpreter goes away: what the task holds must not be released without the GIL.
    static_cast<void>(new task(std::move(work)));
    return;
  }
  tasks.waiting.push_back(std::move(work));
  if (!tasks.started) {
    tasks.started = true;
    std::thread(run_callbacks).detach();
  }
  tasks.changed.notify_one();
}

bool on_callback_thread() { return is_callback_thread; }

void stop_callbacks() {
  callback_queue& tasks = queue();
  std::unique_lock guard(tasks.mutex);
  tasks.stopping = true;
  tasks.changed.notify_all();
  if (!tasks.started || is_callback_thread) return;
  tasks.changed.wait_for(guard, stop_wait_max, [&] { return tasks.ended; });
}

}  // namespace ringlog::python
