#pragma once

#include <liburing.h>

#include <deque>

#include "io/loop.h"
#include "io/owned_descriptor.h"
#include "io/uring_sockets.h"

namespace ringlog::io {

// Operations through one io_uring: a durable write is one RWF_DSYNC write, so several durable
// writes are under way per system call. At most limits::io_ring_entries operations are with the
// kernel; more wait in a list. Posts from other threads wake the ring through an eventfd that is
// polled on it.
class uring_engine final : public loop {
 public:
  struct features {
    bool deferred_task_work = false;  // SINGLE_ISSUER and DEFER_TASKRUN, Linux 6.1
  };

  // Builds the ring, which is the only probe that tells the truth: seccomp filters, sysctls and
  // memory limits all show up here. The error says why not and what to do.
  static result<std::unique_ptr<uring_engine>> make(const clock& time);

  ~uring_engine() override;

  std::string_view name() const override { return "io_uring"; }
  socket_driver& sockets() override { return sockets_; }
  const features& probed() const { return features_; }

 protected:
  void start() override;
  void begin(std::unique_ptr<operation> work) override;
  void wait(std::optional<nanoseconds> wait_max) override;
  void wake() override;

 private:
  explicit uring_engine(const clock& time) : loop(time) {}

  status build();
  void issue(std::unique_ptr<operation> work);
  io_uring_sqe* next_entry();
  void watch_wakeups();
  int enter(std::optional<nanoseconds> wait_max);
  void reap();
  void reap_one(const io_uring_cqe& entry);

  features features_;
  io_uring ring_{};
  bool ring_built_ = false;
  uring_sockets sockets_{ring_};
  owned_descriptor wakeup_;      // eventfd
  bool wakeup_watched_ = false;  // a poll of it is with the kernel
  std::size_t with_kernel_ = 0;  // operations issued, not yet reaped
  std::deque<std::unique_ptr<operation>> backlog_;
};

}  // namespace ringlog::io
