#include "io/work_threads.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace ringlog::io {

void work_threads::post(task work) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    if (waiting_.size() > idle_ && threads_.size() < threads_max_) make_thread();
  }
  work_there_.notify_one();
}

void work_threads::make_thread() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the thread made here
  threads_.emplace_back([this] { serve(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void work_threads::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_there_.wait(lock, [&] { return is_ending_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    task next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next();
    next = nullptr;  // what it holds dies outside of the mutex
    lock.lock();
  }
}

void work_threads::drop() {
  std::deque<task> dropped;  // die after the mutex is free: what they hold may call us
  const std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
}

void work_threads::end() {
  std::vector<std::thread> ending;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    ending.swap(threads_);
  }
  work_there_.notify_all();
  for (std::thread& one : ending) one.join();
  const std::lock_guard lock(mutex_);
  is_ending_ = false;
}

}  // namespace ringlog::io
