#include "storage/manager_state.h"

#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/log_loader.h"
#include "storage/log_retention.h"
#include "storage/log_state.h"

namespace ringlog::storage {
namespace {

// Drops the calls that a log without a flusher never makes: they may hold the log.
void let_go(log_state& log) {
  std::multimap<offset_t, callback<void(status)>> waiters;
  std::shared_ptr<callback<void(offset_t)>> listener;
  std::vector<task> between_writes;
  auto store_waiters = std::exchange(log.store_waiters, {});
  auto sync_waiters = std::exchange(log.sync_waiters, {});
  auto after_change = std::exchange(log.after_change, {});
  const std::lock_guard guard(log.mutex);
  waiters.swap(log.waiters);
  listener.swap(log.listener);
  between_writes.swap(log.between_writes);
}

constexpr std::size_t unique_name_digits = 32;

}  // namespace

log_manager::state::state(services outside, log_manager_options given)
    : options(std::move(given)),
      context(outside, options.directory, options.read_only, options.tail_bytes_max,
              options.single_syncs_max),
      flusher(context),
      durabilities(context),
      checkpoints(outside.disk, options.directory) {
  context.flusher = &flusher;
  context.durabilities = &durabilities;
  context.checkpoint_journal = [this](callback<void(status)> done) {
    checkpoint_journal_for(std::move(done));
  };
  context.keep_log_starts = [this](callback<void(status)> done) {
    context.outside.engine.post([weak = weak_from_this(), done = std::move(done)]() mutable {
      if (const auto self = weak.lock()) done(self->write_log_starts());
    });
  };
}

status log_manager::state::scan() {
  {
    const std::lock_guard guard(mutex);
    if (is_scanned) return {};
  }
  TRY_ASSIGN(const auto entries, context.outside.disk.list_names(options.directory));
  std::vector<std::string> deleted;
  {
    const std::lock_guard guard(mutex);
    if (std::exchange(is_scanned, true)) return {};
    for (const io::directory_entry& entry : entries) {
      if (!entry.is_directory) continue;
      const auto parsed = parse_directory_name(entry.name);
      const std::string path = join_path(options.directory, entry.name);
      if (!parsed) {
        context.outside.sink.log(
            log_level::warning,
            "{} is no partition's directory; Kafka would refuse to start with it", path);
      } else if (parsed->kind == directory_kind::deleted) {
        if (!options.read_only && !doomed.contains(path)) deleted.push_back(path);
      } else if (parsed->kind == directory_kind::current) {
        auto& known = slots[parsed->name];
        if (known == nullptr) known = std::make_shared<slot>();
        known->found = true;
      }
    }
  }
  for (const std::string& path : deleted) remove_tree_later(path, 0);
  return {};
}

void log_manager::state::recognize(const partition_log& metadata_log) {
  is_as_we_left_it = clean_shutdown && table.clean && table.all_known &&
                     table.metadata.epoch == metadata_log.latest_leader_epoch() &&
                     table.metadata.end == metadata_log.offsets().log_end;
}

status log_manager::state::claim() {
  const std::lock_guard guard(claiming);
  if (claimed || options.read_only) return {};
  io::file_system& disk = context.outside.disk;
  const std::string identity_file = join_path(options.directory, file_names::meta_properties);
  TRY_ASSIGN(const bool named, disk.exists(identity_file));
  if (named) {
    TRY(disk.rename(identity_file,
                    join_path(options.directory, file_names::set_aside_meta_properties)));
  }
  const std::string marker = join_path(options.directory, file_names::clean_shutdown);
  TRY_ASSIGN(const bool marked, disk.exists(marker));
  if (marked) TRY(disk.remove(marker));
  TRY(disk.sync_directory(options.directory));
  TRY(begin_journal());
  claimed = true;
  return {};
}

status log_manager::state::release() {
  io::file_system& disk = context.outside.disk;
  const std::string set_aside = join_path(options.directory, file_names::set_aside_meta_properties);
  TRY_ASSIGN(const bool is_set_aside, disk.exists(set_aside));
  if (!is_set_aside) return {};
  TRY(disk.rename(set_aside, join_path(options.directory, file_names::meta_properties)));
  return disk.sync_directory(options.directory);
}

void log_manager::state::stop() {
  std::vector<executor::timer_id> running;
  std::vector<task> never_run;
  {
    const std::lock_guard guard(mutex);
    closing = true;
    running.swap(timers);
    never_run.swap(after_deletions);
  }
  for (const executor::timer_id timer : running) context.outside.engine.cancel(timer);
  flusher.stop();
  durabilities.stop();
  if (shared_journal != nullptr) shared_journal->stop();
  for (const auto& log : loaded_logs([](const slot&) { return true; })) let_go(log->internals());
  const auto after = std::exchange(after_checkpoint, {});
  const auto waiters = std::exchange(checkpoint_waiters, {});
}

std::vector<std::shared_ptr<partition_log>> log_manager::state::loaded_logs(
    bool (*wanted)(const slot&)) const {
  const std::lock_guard guard(mutex);
  std::vector<std::shared_ptr<partition_log>> logs;
  for (const auto& [name, known] : slots) {
    if (known->log != nullptr && wanted(*known)) logs.push_back(known->log);
  }
  return logs;
}

std::vector<std::shared_ptr<partition_log>> log_manager::state::open_logs() const {
  return loaded_logs([](const slot& of) { return !of.going; });
}

std::vector<std::shared_ptr<partition_log>> log_manager::state::journaled_logs() const {
  return loaded_logs([](const slot& of) { return !of.removed; });
}

std::string log_manager::state::directory_of(const topic_partition& name) const {
  return join_path(options.directory, name.to_string());
}

// ---- opening

result<std::shared_ptr<partition_log>> log_manager::state::open_log(const topic_partition& name,
                                                                    const uuid& topic_id,
                                                                    const log_config& config) {
  std::shared_ptr<slot> of;
  {
    const std::lock_guard guard(mutex);
    if (closing) return make_error(error_code::closed, "{} is closed", options.directory);
    auto& known = slots[name];
    if (known == nullptr) known = std::make_shared<slot>();
    of = known;
    if (of->going) {
      return make_error(error_code::already_exists, "{} is still being deleted", name.to_string());
    }
    if (of->log != nullptr && of->log->topic_id() != topic_id) {
      return make_error(error_code::invalid_argument, "{} is open with topic id {}, not {}",
                        name.to_string(), of->log->topic_id(), topic_id);
    }
    if (of->log != nullptr) return of->log;
  }
  const std::lock_guard loading(of->loading);
  {
    const std::lock_guard guard(mutex);
    if (of->log != nullptr) return of->log;
  }
  auto loaded = load(name, topic_id, config);
  if (!loaded.ok()) return std::move(loaded.failure()).with_context(name.to_string());
  const std::lock_guard guard(mutex);
  of->log = *loaded;
  return loaded;
}

// Of a directory that is there; nothing when it does not say.
result<std::optional<uuid>> log_manager::state::stored_topic_id(const topic_partition& name) const {
  return read_partition_metadata(context.outside.disk,
                                 join_path(directory_of(name), file_names::partition_metadata));
}

result<std::shared_ptr<partition_log>> log_manager::state::load(const topic_partition& name,
                                                                const uuid& topic_id,
                                                                const log_config& config) {
  load_request request;
  request.name = name;
  request.directory = directory_of(name);
  request.config = config;
  request.clean_shutdown = clean_shutdown;
  request.read_only = options.read_only;
  loaded_log loaded(context.outside.disk);
  TRY_ASSIGN(const bool there, context.outside.disk.exists(request.directory));
  if (there) {
    const auto stored_id = stored_topic_id(name);
    if (!stored_id.ok()) {
      context.outside.sink.write(log_level::warning, stored_id.failure().message);
    }
    const bool has_id = stored_id.ok() && *stored_id;
    if (has_id && **stored_id != topic_id) {
      return make_error(error_code::foreign_directory,
                        "the directory belongs to topic id {}, not to {}", **stored_id, topic_id);
    }
    std::uint32_t number = 0;
    {
      const std::lock_guard guard(mutex);
      request.log_start = checkpoints.log_start(name);
      request.recovery_point = checkpoints.recovery_point(name);
      const auto named = names.find(name);
      const auto known = named == names.end() ? table.logs.end() : table.logs.find(named->second);
      if (known != table.logs.end() && known->second.topic_id == topic_id) {
        number = known->first;
        // Kafka's file may still have that of a deleted topic of the same name.
        request.log_start = known->second.log_start;
        if (known->second.is_outside) {
          request.recovery_point = known->second.end;
          request.unbroken_from = known->second.segment_base;
        } else {
          request.journaled = known->second;
          request.checked_from = table.checked_from.at(number);
        }
        request.clean_shutdown = false;
      }
    }
    TRY_ASSIGN(loaded, log_loader(context.outside, context.cache, request).load());
    loaded.journal_number = number;
    loaded.was_outside = request.unbroken_from.has_value();
    if (!has_id && !options.read_only) {
      const std::string path = join_path(request.directory, file_names::partition_metadata);
      TRY(write_partition_metadata(context.outside.disk, path, topic_id));
      loaded.written.add_file(path);
      loaded.written.add_directory(request.directory);
    }
    TRY(context.sync(std::move(loaded.written), request.journaled.has_value()));
  } else {
    loaded.directory_there = false;
    loaded.segments.push_back(
        std::make_shared<segment>(request.directory, offset_t(0), context.outside.clock.wall_ms()));
    loaded.segments.back()->indexes = std::make_shared<segment_indexes>(offset_t(0));
  }
  return std::make_shared<partition_log>(std::make_unique<log_state>(
      context, name, topic_id, request.directory, config, std::move(loaded)));
}

// ---- deleting

void give_up(partition_log& log, const error& why) {
  log_state& state = log.internals();
  std::multimap<offset_t, callback<void(status)>> waiters;
  {
    const std::lock_guard guard(state.mutex);
    state.refusal = why;
    state.deleted = true;
    state.context.tails.give_back(state.tail.drop_after(state.stored_end));
    state.context.tails.dropped(state.tail.drop_before(state.offsets.log_end));
    waiters.swap(state.waiters);
  }
  for (auto& waiter : waiters) waiter.second(why);
  for (auto& waiter : std::exchange(state.store_waiters, {})) waiter.second();
}

result<std::string> log_manager::state::rename_directory(const topic_partition& name,
                                                         std::string_view suffix) {
  const std::string source = directory_of(name);
  std::string unique;
  while (unique.size() < unique_name_digits) {
    unique += fmt::format("{:016x}", context.outside.random.next());
  }
  const std::string target = join_path(options.directory, renamed_directory(name, unique, suffix));
  TRY(context.outside.disk.rename(source, target));
  return target;
}

void log_manager::state::remove_tree_later(const std::string& path, std::int64_t delay_ms) {
  {
    const std::lock_guard guard(mutex);
    doomed.insert(path);
  }
  context.outside.engine.schedule_at(
      context.outside.clock.now() + milliseconds(delay_ms), [weak = weak_from_this(), path] {
        const auto self = weak.lock();
        if (self == nullptr || self->is_closing()) return;  // close() sees to it
        const auto remove = [self, path]() -> status {
          self->remove_doomed(path);
          return {};
        };
        self->context.outside.engine.run_blocking(remove, [](const status&) {});
      });
}

void log_manager::state::remove_doomed(const std::string& path) {
  const status removed = context.outside.disk.remove_tree(path);
  if (!removed.ok()) {
    return context.outside.sink.write(log_level::warning, removed.failure().message);
  }
  const std::lock_guard guard(mutex);
  doomed.erase(path);
}

void log_manager::state::remove_all_doomed() {
  std::set<std::string> paths;
  {
    const std::lock_guard guard(mutex);
    paths = doomed;
  }
  for (const std::string& path : paths) remove_doomed(path);
}

void log_manager::state::delete_log(const topic_partition& name, callback<void(status)> answer) {
  std::shared_ptr<slot> of;
  {
    const std::lock_guard guard(mutex);
    ++deletions;
    auto& known = slots[name];
    if (known == nullptr) known = std::make_shared<slot>();
    of = known;
    of->going = true;
  }
  const auto self = shared_from_this();
  callback<void(status)> done = [self, answer = std::move(answer)](status outcome) mutable {
    answer(std::move(outcome));
    self->deletion_ended();
  };
  const auto removal = journal_removal(name, of);
  if (!removal) return delete_files(name, of, std::move(done));
  context.outside.engine.post([self, removal, name, of, done = std::move(done)]() mutable {
    self->shared_journal->when_durable(
        removal->second,
        [self, removal, name, of, done = std::move(done)](const status& durable) mutable {
          if (!durable.ok()) return done(durable.failure());
          {
            const std::lock_guard guard(self->mutex);
            of->removed = true;
          }
          self->forget_removed(removal->first);
          self->delete_files(name, of, std::move(done));
        });
  });
}

// The journal says that the log is gone: a checkpoint that begins from now on needs no row of it.
void log_manager::state::forget_removed(std::uint32_t number) {
  if (checkpoint_running) return removed_meanwhile.push_back(number);
  const std::lock_guard guard(mutex);
  table.forget(number);
}

void log_manager::state::journal_stray(const topic_partition& name) {
  if (shared_journal == nullptr) return;
  std::uint32_t number = 0;
  {
    const std::lock_guard guard(mutex);
    const auto known = names.find(name);
    if (known == names.end()) return;
    number = known->second;
    names.erase(known);
  }
  const auto entry = shared_journal->append({number, journaled_removal{}});
  context.outside.engine.post([self = shared_from_this(), number, entry] {
    self->shared_journal->when_durable(entry, [self, number](const status& durable) {
      if (durable.ok()) self->forget_removed(number);
    });
  });
}

void log_manager::state::deletion_ended() {
  std::vector<task> waiting;
  {
    const std::lock_guard guard(mutex);
    if (--deletions == 0) waiting.swap(after_deletions);
  }
  for (task& work : waiting) work();
}

// Tells the journal, where it knows the log, that it is gone; the log has no entry after that one.
std::optional<std::pair<std::uint32_t, journal::entry_number>> log_manager::state::journal_removal(
    const topic_partition& name, const std::shared_ptr<slot>& of) {
  if (shared_journal == nullptr) return std::nullopt;
  std::uint32_t number = 0;
  std::unique_lock<std::mutex> appends;
  if (of->log != nullptr) {
    log_state& log = of->log->internals();
    appends = std::unique_lock(log.mutex);
    log.refusal = make_error(error_code::closed, "{} was deleted", name.to_string());
    log.journal_ended = true;
    number = log.journal_number;
  } else {
    const std::lock_guard guard(mutex);
    const auto known = names.find(name);
    if (known != names.end()) number = known->second;
  }
  if (number == 0) return std::nullopt;
  return std::pair(number, shared_journal->append({number, journaled_removal{}}));
}

void log_manager::state::delete_files(const topic_partition& name, const std::shared_ptr<slot>& of,
                                      callback<void(status)> done) {
  const auto self = shared_from_this();
  if (of->log == nullptr) {
    return context.outside.engine.post([self, name, done = std::move(done)]() mutable {
      self->rename_deleted(name, log_config().file_delete_delay_ms, std::move(done));
    });
  }
  const auto log = of->log;
  log->internals().run_between_writes(log, [self, log, name, done = std::move(done)]() mutable {
    give_up(*log, make_error(error_code::closed, "{} was deleted", name.to_string()));
    self->rename_deleted(name, log->config().file_delete_delay_ms, std::move(done));
    // Not before: a read that had begun would have opened the files again.
    self->close_files(*log);
  });
}

void log_manager::state::close_files(partition_log& of) {
  log_state& log = of.internals();
  const std::lock_guard guard(log.mutex);
  for (const auto& gone : log.segments) context.cache.forget(*gone);
}

void log_manager::state::rename_deleted(const topic_partition& name, std::int64_t delay_ms,
                                        callback<void(status)> done) {
  const auto there = context.outside.disk.exists(directory_of(name));
  status outcome = there.ok() ? status() : status(there.failure());
  bool is_renamed = false;
  if (there.ok() && *there) {
    const auto renamed = rename_directory(name, suffixes::delete_directory);
    is_renamed = renamed.ok();
    if (renamed.ok()) remove_tree_later(*renamed, delay_ms);
    if (!renamed.ok()) outcome = renamed.failure();
  }
  {
    const std::lock_guard guard(mutex);
    slots.erase(name);
    names.erase(name);
    checkpoints.forget(name);
  }
  if (!is_renamed) return done(std::move(outcome));
  renamed_deletions.push_back(std::move(done));
  if (!std::exchange(syncing_renames, true)) sync_renames();
}

// One sync of the directory for all that were renamed by then.
void log_manager::state::sync_renames() {
  auto synced = std::make_shared<std::vector<callback<void(status)>>>();
  synced->swap(renamed_deletions);
  context.outside.engine.run_blocking(
      [self = shared_from_this()] {
        return self->context.outside.disk.sync_directory(self->options.directory);
      },
      [self = shared_from_this(), synced](const status& outcome) {
        for (auto& done : *synced) done(outcome);
        self->syncing_renames = !self->renamed_deletions.empty();
        if (self->syncing_renames) self->sync_renames();
      });
}

}  // namespace ringlog::storage
