#include "node/recover_directory.h"

#include "io/posix_file_system.h"
#include "node/open_node.h"
#include "storage/file_names.h"

namespace ringlog::node {
namespace {

constexpr std::int64_t close_wait_ms_max = 3'600'000;  // it looks at logs that nobody opened

// What a shutdown that deletes nothing needs: whoever serves the directory next applies retention.
const model::config_map& offline_settings() {
  static const model::config_map settings = {
      {"log.initial.task.delay.ms", fmt::format("{}", 2 * close_wait_ms_max)}};
  return settings;
}

// What the sink lets pass.
std::shared_ptr<logger_set> loggers_of(log_sink& sink) {
  return std::make_shared<logger_set>(sink, log_level::debug);
}

error used_by_another(const directory_layout& layout) {
  return make_error(
      error_code::foreign_directory,
      "{0} was not closed by ringlog, and another program has used it since: {1} is there beside "
      "{2}, under which ringlog had set it aside. What the journal {3} holds may not fit to the "
      "log any more, so it is not replayed. Nothing was changed. If nothing has written there, "
      "remove {1}; to go on with what the other program left, move {2} and the journal away",
      layout.log_directory, storage::file_names::meta_properties,
      storage::file_names::set_aside_meta_properties, layout.journal_directory);
}

}  // namespace

result<recovered_directory> recover_directory(const std::string& path, log_sink& sink,
                                              bool takes_damaged_journal) {
  recovered_directory recovered;
  {
    io::posix_file_system disk;
    TRY_ASSIGN(recovered.layout, find_directory(disk, path));
    TRY_ASSIGN(const auto lock, lock_if_used(disk, recovered.layout.log_directory));
    const auto holds = [&](std::string_view name) {
      return disk.exists(storage::join_path(recovered.layout.log_directory, name));
    };
    TRY_ASSIGN(const bool has_own, holds(storage::file_names::meta_properties));
    TRY_ASSIGN(const bool is_set_aside, holds(storage::file_names::set_aside_meta_properties));
    if (has_own && is_set_aside) return used_by_another(recovered.layout);
    recovered.was_closed = has_own;
  }
  if (recovered.was_closed) return recovered;
  const log_address address{.in_memory = false, .name = recovered.layout.top, .settings = {}};
  TRY_ASSIGN(const auto opened, open_node::open(address, offline_settings(), loggers_of(sink),
                                                takes_damaged_journal ? damaged_journal::taken
                                                                      : damaged_journal::refused));
  recovered.replayed = opened->replayed();
  TRY(opened->close(milliseconds(close_wait_ms_max)));
  return recovered;
}

status close_copy(const std::string& directory, log_sink& sink) {
  const log_address address{.in_memory = false, .name = directory, .settings = {}};
  TRY_ASSIGN(const auto opened, open_node::open(address, offline_settings(), loggers_of(sink),
                                                damaged_journal::refused));
  return opened->close(milliseconds(close_wait_ms_max));
}

}  // namespace ringlog::node
