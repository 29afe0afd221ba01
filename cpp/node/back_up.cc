// open_node::back_up: a copy of the open log, made beside its target and renamed when it is whole.

#include <future>

#include "io/posix_file_system.h"
#include "node/open_node.h"
#include "node/recover_directory.h"
#include "storage/log_backup.h"

namespace ringlog::node {
namespace {

constexpr milliseconds store_wait_max{60'000};
constexpr int attempts_max = 10;  // each is undone by a deletion in a log of its moment

using moment_answer = result<std::shared_ptr<const storage::backup_moment>>;

moment_answer take_moment(storage::log_manager& logs) {
  auto answered = std::make_shared<std::promise<moment_answer>>();
  std::future<moment_answer> answer = answered->get_future();
  storage::begin_backup(logs,
                        [answered](moment_answer taken) { answered->set_value(std::move(taken)); });
  if (answer.wait_for(store_wait_max) != std::future_status::ready) {
    return make_error(error_code::timed_out, "the disk did not take what is still to be stored");
  }
  return answer.get();
}

status check_free(io::file_system& disk, const std::string& target) {
  TRY_ASSIGN(const bool there, disk.exists(target));
  if (!there) return {};
  TRY_ASSIGN(const auto entries, disk.list(target));
  if (entries.empty()) return {};
  return make_error(error_code::already_exists,
                    "{} holds '{}': name a directory that is not there, or an empty one", target,
                    entries.front().name);
}

// What a directory that is being made is called; removed when it does not become one.
class unfinished {
 public:
  unfinished(io::file_system& disk, const std::string& target)
      : disk_(disk), name(target + ".unfinished") {}
  ~unfinished() { static_cast<void>(clear()); }

  status clear() {
    TRY(disk_.remove_tree(name + ".ringlog"));
    return disk_.remove_tree(name);
  }

 private:
  io::file_system& disk_;

 public:
  const std::string name;
};

}  // namespace

status open_node::copy_logs(const std::string& target) {
  io::posix_file_system disk;
  for (int attempt = 1;; ++attempt) {
    TRY(disk.remove_tree(target));
    TRY(disk.make_directories(target));
    TRY_ASSIGN(const auto moment, take_moment(core_->logs()));
    status copied = storage::copy_logs(core_->logs(), *moment, disk, target);
    if (copied.ok() || copied.code() != error_code::not_found) return copied;
    if (attempt == attempts_max)
      return std::move(copied.failure())
          .with_context("the logs change faster than they can be copied");
  }
}

status open_node::back_up(const std::string& target) {
  TRY(check_usable());
  io::posix_file_system disk;
  TRY(check_free(disk, target));
  const std::string parent = io::parent_of(target);
  TRY(disk.make_directories(parent));
  unfinished made(disk, target);
  TRY(made.clear());
  TRY(copy_logs(made.name));
  TRY(close_copy(made.name, sink_));
  TRY(disk.remove_tree(made.name + ".ringlog"));
  TRY(disk.rename(made.name, target));
  return disk.sync_directory(parent);
}

}  // namespace ringlog::node
