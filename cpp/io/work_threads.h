#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/task.h"

namespace ringlog::io {

// At most so many threads for what may block, each made when it is first needed. They take no
// signals. Tasks begin in the order of post().
class work_threads {
 public:
  explicit work_threads(std::size_t threads_max) : threads_max_(threads_max) {}
  ~work_threads() { end(); }

  // Any thread.
  void post(task work);

  // What waits will not run.
  void drop();

  // Runs what waits and ends the threads; the next post() makes new ones. By one thread, which is
  // none of them.
  void end();

 private:
  void make_thread();
  void serve();

  const std::size_t threads_max_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable work_there_;
  std::deque<task> waiting_;
  std::size_t idle_ = 0;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ringlog::io
