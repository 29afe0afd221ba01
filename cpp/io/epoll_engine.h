#pragma once

#include "io/epoll_sockets.h"
#include "io/loop.h"
#include "io/owned_descriptor.h"

namespace ringlog::io {

// Operations by limits::io_pool_threads threads that call pwritev2 (RWF_DSYNC), preadv and
// fdatasync; the loop sleeps in epoll on an eventfd, a timerfd and the sockets. For systems that
// refuse io_uring.
class epoll_engine final : public loop {
 public:
  static result<std::unique_ptr<epoll_engine>> make(const clock& time);

  std::string_view name() const override { return "epoll"; }
  socket_driver& sockets() override { return sockets_; }

 protected:
  void begin(std::unique_ptr<operation> work) override;
  void wait(std::optional<nanoseconds> wait_max) override;
  void wake() override;

 private:
  explicit epoll_engine(const clock& time) : loop(time) {}

  status build();
  status watch(owned_descriptor& source);
  void wait_for_events(std::optional<nanoseconds> wait_max);
  void set_alarm(std::optional<nanoseconds> wait_max);

  owned_descriptor epoll_;
  owned_descriptor wakeup_;  // eventfd
  owned_descriptor alarm_;   // timerfd
  bool alarm_set_ = false;
  epoll_sockets sockets_{epoll_};

  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<operation>> over_;

  work_threads pool_{limits::io_pool_threads};  // the first to die: it uses what stands above
};

}  // namespace ringlog::io
