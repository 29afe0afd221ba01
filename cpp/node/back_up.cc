// open_node::back_up: a copy of the open log, made beside its target and renamed when it is whole.
// The configs that only ringlog knows go with it, to where an open of the copy looks for them.

#include <future>

#include "base/limits.h"
#include "broker/own_configs.h"
#include "io/posix_file_system.h"
#include "node/open_node.h"
#include "node/recover_directory.h"
#include "storage/log_backup.h"

namespace ringlog::node {
namespace {

constexpr milliseconds store_wait_max{60'000};
constexpr int attempts_max = 10;  // each is undone by a deletion in a log of its moment

using moment_answer = result<std::shared_ptr<const storage::backup_moment>>;

moment_answer take_moment(storage::log_manager& logs, std::function<status()> note_more) {
  auto answered = std::make_shared<std::promise<moment_answer>>();
  std::future<moment_answer> answer = answered->get_future();
  storage::begin_backup(logs, std::move(note_more),
                        [answered](moment_answer taken) { answered->set_value(std::move(taken)); });
  if (answer.wait_for(store_wait_max) != std::future_status::ready) {
    return make_error(error_code::timed_out, "the disk did not take what is still to be stored");
  }
  return answer.get();
}

// What ringlog keeps of a log that lies in `directory` itself.
std::string beside(const std::string& directory) { return directory + ".ringlog"; }

// A name in the directory; "" when it is empty or not there.
result<std::string> any_name_in(io::file_system& disk, const std::string& directory) {
  TRY_ASSIGN(const bool there, disk.exists(directory));
  if (!there) return std::string();
  TRY_ASSIGN(const auto entries, disk.list(directory));
  return entries.empty() ? std::string() : entries.front().name;
}

status check_free(io::file_system& disk, const std::string& target) {
  TRY_ASSIGN(const std::string name, any_name_in(disk, target));
  if (!name.empty()) {
    return make_error(error_code::already_exists,
                      "{} holds '{}': name a directory that is not there, or an empty one", target,
                      name);
  }
  TRY_ASSIGN(const std::string name_beside, any_name_in(disk, beside(target)));
  if (name_beside.empty()) return {};
  return make_error(error_code::already_exists,
                    "{} holds '{}' of a log that was at {}: remove it, or name another directory",
                    beside(target), name_beside, target);
}

// What a directory that is being made is called; removed when it does not become one.
class unfinished {
 public:
  unfinished(io::file_system& disk, const std::string& target)
      : disk_(disk), name(target + ".unfinished") {}
  ~unfinished() { static_cast<void>(clear()); }

  status clear() {
    TRY(disk_.remove_tree(beside(name)));
    return disk_.remove_tree(name);
  }

 private:
  io::file_system& disk_;

 public:
  const std::string name;
};

}  // namespace

result<byte_buffer> open_node::copy_logs(const std::string& target) {
  io::posix_file_system disk;
  for (int attempt = 1;; ++attempt) {
    TRY(disk.remove_tree(target));
    TRY(disk.make_directories(target));
    auto own = std::make_shared<byte_buffer>();  // a wait that was given up leaves its task
    TRY_ASSIGN(const auto moment, take_moment(core_->logs(), [this, own]() -> status {
                 return read_own_configs(*own);
               }));
    status copied = storage::copy_logs(core_->logs(), *moment, disk, target);
    if (copied.ok()) return std::move(*own);
    if (copied.code() != error_code::not_found) return std::move(copied.failure());
    if (attempt == attempts_max)
      return std::move(copied.failure())
          .with_context("the logs change faster than they can be copied");
  }
}

status open_node::read_own_configs(byte_buffer& content) const {
  if (own_configs_path_.empty()) return {};
  TRY_ASSIGN(const bool there, disk_->exists(own_configs_path_));
  if (!there) return {};
  TRY_ASSIGN(content, io::read_file(*disk_, own_configs_path_, limits::settings_bytes_max));
  return {};
}

status open_node::back_up(const std::string& target) {
  TRY(check_usable());
  io::posix_file_system disk;
  TRY(check_free(disk, target));
  const std::string parent = io::parent_of(target);
  TRY(disk.make_directories(parent));
  unfinished made(disk, target);
  TRY(made.clear());
  TRY_ASSIGN(const byte_buffer own, copy_logs(made.name));
  TRY(close_copy(made.name, sink_));
  TRY(disk.remove_tree(beside(made.name)));
  if (!own.empty()) {
    TRY(disk.make_directories(beside(made.name)));
    TRY(io::replace_file(disk, broker::own_configs::path_beside(beside(made.name) + "/journal"),
                         own));
    TRY(disk.rename(beside(made.name), beside(target)));
  }
  status named = disk.rename(made.name, target);
  if (named.ok()) return disk.sync_directory(parent);
  if (!own.empty()) static_cast<void>(disk.remove_tree(beside(target)));
  return named;
}

}  // namespace ringlog::node
