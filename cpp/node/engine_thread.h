#pragma once

#include <thread>

#include "io/loop.h"

namespace ringlog::node {

// A thread that runs a loop. It takes no signals: those are for the program's own threads, so that
// Python's handlers run there. Started and stopped by one thread.
class engine_thread {
 public:
  ~engine_thread() { stop(); }

  // The name is the thread's; at most 15 characters. The loop outlives the thread.
  void start(io::loop& engine, const char* name);

  // Asks the loop to stop and waits for its end. Nothing when it does not run.
  void stop();

 private:
  io::loop* engine_ = nullptr;
  std::thread thread_;
};

}  // namespace ringlog::node
