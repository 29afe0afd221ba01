#include "io/uring_engine.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include <cstring>

#include "base/limits.h"
#include "io/fork_closed.h"

namespace ringlog::io {
namespace {

constexpr std::size_t operations_max = limits::io_ring_entries - 1;  // one entry is the wakeup's

error refused(int errno_value) {
  std::string_view remedy;
  switch (errno_value) {
    case ENOSYS:
      remedy = "this kernel is older than 5.11 or built without it: use a newer kernel";
      break;
    case EPERM:
    case EACCES:
      remedy =
          "a seccomp profile (Docker's default) or the sysctl kernel.io_uring_disabled forbids "
          "it: allow io_uring_setup, io_uring_enter and io_uring_register there";
      break;
    case ENOMEM:
      remedy = "the limit of locked memory is too small: raise it (ulimit -l)";
      break;
    case EMFILE:
    case ENFILE:
      remedy = "raise the limit of open files (ulimit -n)";
      break;
    default:
      remedy = "see the kernel's messages (dmesg)";
  }
  return make_error(error_code::unsupported, "io_uring is refused ({}): {}",
                    std::strerror(errno_value), remedy);
}

}  // namespace

result<std::unique_ptr<uring_engine>> uring_engine::make(const clock& time) {
  std::unique_ptr<uring_engine> made(new uring_engine(time));
  TRY(made->build());
  return made;
}

uring_engine::~uring_engine() {
  if (ring_built_ && keep_when_forked(ring_.ring_fd)) io_uring_queue_exit(&ring_);
}

status uring_engine::build() {
  wakeup_ = owned_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wakeup_.is_open()) return refused(errno);
  // Disabled until start(): the thread that enables the ring becomes its single issuer.
  io_uring_params wanted{};
  wanted.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  int outcome = io_uring_queue_init_params(limits::io_ring_entries, &ring_, &wanted);
  features_.deferred_task_work = outcome == 0;
  if (outcome == -EINVAL) {
    wanted = {};
    wanted.flags = IORING_SETUP_R_DISABLED;
    outcome = io_uring_queue_init_params(limits::io_ring_entries, &ring_, &wanted);
  }
  if (outcome < 0) return refused(-outcome);
  ring_built_ = true;
  close_when_forked(ring_.ring_fd);
  // Waiting with a time limit, and no lost completions.
  constexpr unsigned needed = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP;
  if ((wanted.features & needed) != needed) return refused(ENOSYS);
  io_uring_ring_dontfork(&ring_);
  return {};
}

void uring_engine::start() {
  // As io_uring_enable_rings, which liburing 2.3's shared library forgets to export.
  const long outcome =
      ::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  CHECK(outcome == 0, "a ring that was built cannot be enabled, errno", errno);
}

void uring_engine::begin(std::unique_ptr<operation> work) {
  if (with_kernel_ < operations_max) {
    ++with_kernel_;
    issue(std::move(work));
  } else {
    backlog_.push_back(std::move(work));
  }
}

io_uring_sqe* uring_engine::next_entry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry == nullptr) {  // full of requests of sockets
    io_uring_submit(&ring_);
    entry = io_uring_get_sqe(&ring_);
  }
  CHECK(entry != nullptr, "more entries than operations that may be with the kernel");
  return entry;
}

void uring_engine::issue(std::unique_ptr<operation> work) {
  io_uring_sqe* entry = next_entry();
  switch (work->what()) {
    case operation::kind::write:
    case operation::kind::durable_write:
      io_uring_prep_writev2(entry, work->descriptor(), work->parts(), work->part_count(),
                            work->position(), work->write_flags());
      break;
    case operation::kind::read:
      io_uring_prep_readv(entry, work->descriptor(), work->parts(), work->part_count(),
                          work->position());
      break;
    case operation::kind::sync:
      io_uring_prep_fsync(entry, work->descriptor(), IORING_FSYNC_DATASYNC);
      break;
  }
  io_uring_sqe_set_data(entry, work.release());  // back in reap_one
}

void uring_engine::watch_wakeups() {
  if (wakeup_watched_) return;
  io_uring_sqe* entry = next_entry();
  io_uring_prep_poll_add(entry, wakeup_.number(), POLLIN);
  io_uring_sqe_set_data(entry, nullptr);
  wakeup_watched_ = true;
}

void uring_engine::wait(std::optional<nanoseconds> wait_max) {
  const bool is_idle = with_kernel_ == 0 && sockets_.open_count() == 0;
  if (wait_max == nanoseconds(0) && is_idle) return;
  watch_wakeups();
  const bool is_flushed = sockets_.flush();
  if (!is_flushed || sockets_.has_events()) wait_max = nanoseconds(0);
  const int outcome = enter(wait_max);
  // Time is up, a signal, or the kernel wants its completions taken first: all are rounds.
  const bool usual = outcome >= 0 || outcome == -ETIME || outcome == -EINTR || outcome == -EAGAIN ||
                     outcome == -EBUSY;
  CHECK(usual, "io_uring_enter failed, errno", -outcome);
  reap();
}

int uring_engine::enter(std::optional<nanoseconds> wait_max) {
  if (!wait_max) return io_uring_submit_and_wait(&ring_, 1);
  if (*wait_max == nanoseconds(0)) return io_uring_submit_and_get_events(&ring_);
  constexpr std::int64_t second = 1'000'000'000;
  __kernel_timespec limit{.tv_sec = wait_max->count() / second,
                          .tv_nsec = wait_max->count() % second};
  io_uring_cqe* ignored = nullptr;
  return io_uring_submit_and_wait_timeout(&ring_, &ignored, 1, &limit, nullptr);
}

void uring_engine::reap() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* entry = nullptr;
  io_uring_for_each_cqe(&ring_, head, entry) {
    reap_one(*entry);
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
  while (!backlog_.empty() && with_kernel_ < operations_max) {
    ++with_kernel_;
    issue(std::move(backlog_.front()));
    backlog_.pop_front();
  }
}

void uring_engine::reap_one(const io_uring_cqe& entry) {
  if (uring_sockets::is_ours(entry)) return sockets_.reap(entry);
  std::unique_ptr<operation> work(static_cast<operation*>(io_uring_cqe_get_data(&entry)));
  if (work == nullptr) {
    wakeup_watched_ = false;
    std::uint64_t ignored = 0;
    retry_interrupted([&] { return ::read(wakeup_.number(), &ignored, sizeof(ignored)); });
  } else if (work->absorb(entry.res)) {
    --with_kernel_;
    finished(std::move(work));
  } else {
    issue(std::move(work));
  }
}

void uring_engine::wake() {
  constexpr std::uint64_t one = 1;
  retry_interrupted([&] { return ::write(wakeup_.number(), &one, sizeof(one)); });
}

}  // namespace ringlog::io
