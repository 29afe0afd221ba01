#include "node/engine_thread.h"

#include <pthread.h>
#include <signal.h>

namespace ringlog::node {

void engine_thread::start(io::loop& engine, const char* name) {
  engine_ = &engine;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the thread made here
  thread_ = std::thread([&engine, name] {
    ::pthread_setname_np(::pthread_self(), name);
    engine.run();
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void engine_thread::stop() {
  if (!thread_.joinable()) return;
  engine_->stop();
  thread_.join();
}

}  // namespace ringlog::node
