#include "io/epoll_engine.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <array>
#include <span>

#include "base/limits.h"

namespace ringlog::io {

result<std::unique_ptr<epoll_engine>> epoll_engine::make(const clock& time) {
  std::unique_ptr<epoll_engine> made(new epoll_engine(time));
  TRY(made->build());
  return made;
}

status epoll_engine::build() {
  epoll_ = owned_descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.is_open()) return error_from_errno(errno, "make", "an epoll descriptor");
  wakeup_ = owned_descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wakeup_.is_open()) return error_from_errno(errno, "make", "an eventfd");
  alarm_ = owned_descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!alarm_.is_open()) return error_from_errno(errno, "make", "a timerfd");
  TRY(watch(wakeup_));
  TRY(watch(alarm_));
  return {};
}

status epoll_engine::watch(owned_descriptor& source) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &source;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, source.number(), &event) != 0) {
    return error_from_errno(errno, "watch", "an event descriptor");
  }
  return {};
}

void epoll_engine::begin(std::unique_ptr<operation> work) {
  pool_.post([this, work = std::move(work)]() mutable {
    work->run_blocking();
    const std::lock_guard lock(mutex_);
    const bool first = over_.empty();  // else the loop is already being woken
    over_.push_back(std::move(work));
    if (first) wake();
  });
}

void epoll_engine::wait(std::optional<nanoseconds> wait_max) {
  if (wait_max != nanoseconds(0) || sockets_.open_count() > 0) wait_for_events(wait_max);
  std::vector<std::unique_ptr<operation>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(over_);
  }
  for (std::unique_ptr<operation>& work : batch) finished(std::move(work));
}

void epoll_engine::wait_for_events(std::optional<nanoseconds> wait_max) {
  const bool sleeps = wait_max != nanoseconds(0);
  if (sleeps) set_alarm(wait_max);
  std::array<epoll_event, 256> events;
  const int count = retry_interrupted(
      [&] { return ::epoll_wait(epoll_.number(), events.data(), events.size(), sleeps ? -1 : 0); });
  CHECK(count >= 0, "epoll_wait failed, errno", errno);
  for (const epoll_event& event : std::span(events).first(static_cast<std::size_t>(count))) {
    if (event.data.ptr == &wakeup_ || event.data.ptr == &alarm_) {
      const int source = static_cast<owned_descriptor*>(event.data.ptr)->number();
      std::uint64_t ignored = 0;
      retry_interrupted([&] { return ::read(source, &ignored, sizeof(ignored)); });
    } else {
      sockets_.reap(event);
    }
  }
}

void epoll_engine::set_alarm(std::optional<nanoseconds> wait_max) {
  if (!wait_max && !alarm_set_) return;
  constexpr std::int64_t second = 1'000'000'000;
  itimerspec alarm{};  // all zero: no alarm
  if (wait_max) {
    alarm.it_value = {.tv_sec = wait_max->count() / second, .tv_nsec = wait_max->count() % second};
  }
  CHECK(::timerfd_settime(alarm_.number(), 0, &alarm, nullptr) == 0, "timerfd_settime, errno",
        errno);
  alarm_set_ = wait_max.has_value();
}

void epoll_engine::wake() {
  constexpr std::uint64_t one = 1;
  retry_interrupted([&] { return ::write(wakeup_.number(), &one, sizeof(one)); });
}

}  // namespace ringlog::io
