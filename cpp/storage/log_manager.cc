#include "storage/log_manager.h"

#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/log_retention.h"
#include "storage/log_shutdown.h"
#include "storage/manager_state.h"

namespace ringlog::storage {

namespace {

// What may lie in a directory that becomes a new log directory.
bool may_stay(const io::directory_entry& entry) {
  return entry.name == file_names::lock || entry.name == "lost+found" ||
         entry.name.ends_with(".tmp");
}

result<directory_identity> identify(io::file_system& disk, const log_manager_options& options) {
  const std::string path = join_path(options.directory, file_names::meta_properties);
  for (const std::string_view name :
       {file_names::meta_properties, file_names::set_aside_meta_properties}) {
    TRY_ASSIGN(const auto known, read_meta_properties(disk, join_path(options.directory, name)));
    if (known) return *known;
  }
  TRY_ASSIGN(const auto entries, disk.list_names(options.directory));
  for (const io::directory_entry& entry : entries) {
    if (may_stay(entry)) continue;
    return make_error(error_code::foreign_directory,
                      "{} has no {} but holds '{}': it is not a log directory; name an empty one",
                      options.directory, file_names::meta_properties, entry.name);
  }
  if (!options.format || options.read_only) {
    return make_error(error_code::foreign_directory, "{} is empty: no log directory yet",
                      options.directory);
  }
  TRY(write_meta_properties(disk, path, *options.format));
  return *options.format;
}

}  // namespace

log_manager::log_manager(std::shared_ptr<state> opened) : state_(std::move(opened)) {}

log_manager::~log_manager() { state_->stop(); }

result<std::unique_ptr<log_manager>> log_manager::open(services outside,
                                                       log_manager_options options) {
  io::file_system& disk = outside.disk;
  if (options.format && !options.read_only) TRY(disk.make_directories(options.directory));
  auto opened = std::make_shared<state>(outside, std::move(options));
  const std::string& directory = opened->options.directory;
  if (!opened->options.read_only) {
    TRY_ASSIGN(opened->lock, disk.lock(join_path(directory, file_names::lock)));
    auto whole = disk.open_volume(directory);
    if (!whole.ok() && whole.code() != error_code::unsupported) return std::move(whole.failure());
    if (whole.ok()) opened->context.whole_disk = std::move(whole).value();
  }
  TRY_ASSIGN(opened->identity, identify(disk, opened->options));
  TRY(opened->checkpoints.read());
  const std::string marker = join_path(directory, file_names::clean_shutdown);
  TRY_ASSIGN(const auto clean, read_clean_shutdown(disk, marker));
  opened->clean_shutdown = clean.has_value();
  opened->broker_epoch = clean.value_or(-1);
  if (!opened->options.journal_directory.empty()) TRY(opened->open_journal());
  opened->start_tasks();
  return std::unique_ptr<log_manager>(new log_manager(std::move(opened)));
}

const directory_identity& log_manager::identity() const { return state_->identity; }
const std::string& log_manager::directory() const { return state_->options.directory; }
bool log_manager::had_clean_shutdown() const { return state_->clean_shutdown; }
const replayed_journal& log_manager::replayed() const { return state_->replayed; }
std::int64_t log_manager::broker_epoch() const { return state_->broker_epoch; }
void log_manager::set_broker_epoch(std::int64_t epoch) { state_->broker_epoch = epoch; }
status log_manager::health() const { return state_->context.health.check(); }

void log_manager::refuse_writes(const error& why) { state_->context.health.refuse(why); }
void log_manager::set_metadata_epoch(leader_epoch_t epoch) { state_->metadata_epoch = epoch; }

status log_manager::claim() { return state_->claim(); }

result<std::vector<topic_partition>> log_manager::unopened() const {
  std::vector<topic_partition> found;
  TRY(state_->scan());
  const std::lock_guard lock(state_->mutex);
  for (const auto& [name, slot] : state_->slots) {
    if (name == metadata_partition) continue;
    if (slot->log == nullptr && slot->found) found.push_back(name);
  }
  return found;
}

bool log_manager::is_as_we_left_it() const { return state_->is_as_we_left_it; }

result<std::optional<uuid>> log_manager::stored_topic_id(const topic_partition& name) const {
  return state_->stored_topic_id(name);
}

result<std::shared_ptr<partition_log>> log_manager::open_log(const topic_partition& name,
                                                             const uuid& topic_id,
                                                             const log_config& config) {
  TRY(claim());
  return state_->open_log(name, topic_id, config);
}

result<std::shared_ptr<partition_log>> log_manager::open_metadata_log(const log_config& config) {
  TRY_ASSIGN(auto opened, state_->open_log(metadata_partition, uuid::reserved(1), config));
  state_->recognize(*opened);
  return opened;
}

std::shared_ptr<partition_log> log_manager::find_log(const topic_partition& name) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->slots.find(name);
  return found == state_->slots.end() || found->second->going ? nullptr : found->second->log;
}

std::vector<std::shared_ptr<partition_log>> log_manager::open_logs() const {
  return state_->open_logs();
}

void log_manager::delete_log(const topic_partition& name, callback<void(status)> done) {
  state_->delete_log(name, std::move(done));
}

status log_manager::set_aside(const topic_partition& name) {
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->slots.find(name);
    if (found != state_->slots.end() && found->second->log != nullptr) {
      return make_error(error_code::invalid_argument, "{} is open and cannot be set aside",
                        name.to_string());
    }
    state_->slots.erase(name);
    state_->checkpoints.forget(name);
  }
  state_->context.outside.sink.log(log_level::warning,
                                   "{} is unknown to the metadata and set aside as a stray",
                                   name.to_string());
  TRY_ASSIGN(const std::string renamed, state_->rename_directory(name, suffixes::stray_directory));
  (void)renamed;
  TRY(state_->context.outside.disk.sync_directory(state_->options.directory));
  state_->journal_stray(name);
  return {};
}

void log_manager::measure(std::vector<topic_partition> names,
                          callback<void(result<directory_usage>)> done) const {
  state_->measure(std::move(names), std::move(done));
}

void log_manager::checkpoint(callback<void(status)> done) {
  state_->context.outside.engine.post(
      [state = state_, done = std::move(done)]() mutable { done(state->write_checkpoints()); });
}

void log_manager::apply_retention(callback<void(result<std::int64_t>)> done) {
  state_->apply_retention(std::move(done));
}

void log_manager::close(callback<void(status)> done) { begin_shutdown(state_, std::move(done)); }

}  // namespace ringlog::storage
