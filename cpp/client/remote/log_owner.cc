#include "client/remote/log_owner.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "io/posix_file_system.h"

namespace ringlog::client::remote {
namespace {

// Between taking the lock and listening an owner opens a log that was closed cleanly, perhaps on a
// busy machine.
constexpr milliseconds silence_max{5'000};

// The lock may change hands between two looks at it.
constexpr int looks_max = 10;

// By SIGSTOP, a terminal or a debugger: the letter after the name, which may hold anything
// (proc(5), /proc/PID/stat).
bool is_stopped(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return false;
  const char state = text[name_end + 2];
  return state == 'T' || state == 't';
}

}  // namespace

log_owner::log_owner(const node::log_address& address, model::config_map settings,
                     node::directory_layout layout, const clock& time)
    : address_(address.text()),
      settings_(std::move(settings)),
      layout_(std::move(layout)),
      time_(time) {}

result<std::shared_ptr<log_owner>> log_owner::of(const node::log_address& address,
                                                 model::config_map settings, const clock& time) {
  io::posix_file_system disk;
  TRY_ASSIGN(auto layout, node::prepare_directory(disk, address.name));
  return std::shared_ptr<log_owner>(
      new log_owner(address, std::move(settings), std::move(layout), time));
}

result<log_owner::place> log_owner::find() {
  TRY(check_usable());
  error failure{error_code::locked, {}};
  for (int look = 0; look < looks_max && failure.code == error_code::locked; ++look) {
    TRY_ASSIGN(const int holder, node::find_owner(layout_));
    const bool is_elsewhere = holder != 0 && holder != ::getpid();
    if (!is_elsewhere) {
      auto opened = node::open(address_, settings_);
      if (!opened.ok()) {
        failure = std::move(opened.failure());
        continue;
      }
      const std::lock_guard guard(mutex_);
      own_ = std::move(opened).value();
    }
    const std::lock_guard guard(mutex_);
    const int process = is_elsewhere ? holder : ::getpid();
    const bool is_another = std::exchange(process_, process) != process;
    if (is_another || !since_) since_ = time_.now();
    return place{io::socket_address::of_path(node::socket_path(layout_)), process};
  }
  return failure;
}

void log_owner::note_reached(int process) {
  const std::lock_guard guard(mutex_);
  if (process == process_) since_.reset();
}

status log_owner::check_sharing() const {
  int process = 0;
  {
    const std::lock_guard guard(mutex_);
    if (!since_ || own_ != nullptr || time_.now() - *since_ < silence_max) return {};
    process = process_;
  }
  io::posix_file_system disk;
  TRY_ASSIGN(const bool may_be_another, node::may_be_used_by_another(disk, layout_));
  if (!may_be_another) return {};
  return make_error(error_code::locked,
                    "{} is locked by process {}, which does not share it: a tool that needs it for "
                    "itself, or another program than ringlog; stop it first",
                    layout_.log_directory, process);
}

status log_owner::check_usable() const {
  const std::lock_guard guard(mutex_);
  return own_ == nullptr ? status() : own_->check_usable();
}

std::string log_owner::describe() const {
  int process = 0;
  {
    const std::lock_guard guard(mutex_);
    process = process_;
  }
  if (process == 0) return {};
  if (process == ::getpid()) return fmt::format("this process owns {}", address_);
  if (!is_stopped(process)) return fmt::format("process {} owns {}", process, address_);
  return fmt::format(
      "process {0} owns {1} and is stopped: continue it (kill -CONT {0}), or end it and another "
      "process takes over",
      process, address_);
}

}  // namespace ringlog::client::remote
