#include "storage/file_names.h"
#include "storage/manager_state.h"

namespace ringlog::storage {

result<std::int64_t> log_manager::state::measure_log(const topic_partition& name) const {
  {
    const std::lock_guard guard(mutex);
    const auto found = slots.find(name);
    if (found != slots.end() && found->second->log != nullptr) {
      return found->second->log->size_bytes();
    }
  }
  const auto files = context.outside.disk.list(directory_of(name));
  if (!files.ok() && files.code() == error_code::not_found) return 0;  // nothing was written yet
  if (!files.ok()) return files.failure();
  std::uint64_t bytes = 0;
  for (const io::directory_entry& file : *files) {
    if (offset_of_file(file.name) && file.name.ends_with(suffixes::log)) bytes += file.size;
  }
  return static_cast<std::int64_t>(bytes);
}

result<directory_usage> log_manager::state::measure_all(
    const std::vector<topic_partition>& wanted) const {
  directory_usage usage;
  for (const topic_partition& name : wanted) {
    TRY_ASSIGN(const std::int64_t bytes, measure_log(name));
    usage.log_bytes.push_back(bytes);
  }
  const auto space = context.outside.disk.measure_space(options.directory);
  if (space.ok()) usage.volume = *space;
  return usage;
}

void log_manager::state::measure(std::vector<topic_partition> wanted,
                                 callback<void(result<directory_usage>)> done) {
  context.outside.engine.post([self = shared_from_this(), wanted = std::move(wanted),
                               done = std::move(done)]() mutable {
    const auto measured = std::make_shared<result<directory_usage>>(directory_usage());
    self->context.outside.engine.run_blocking(
        [self, wanted = std::move(wanted), measured]() -> status {
          *measured = self->measure_all(wanted);
          return {};
        },
        [measured, done = std::move(done)](const status&) mutable { done(std::move(*measured)); });
  });
}

}  // namespace ringlog::storage
