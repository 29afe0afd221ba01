#include "storage/log_backup.h"

#include <algorithm>

#include "io/copy_file.h"
#include "storage/batch_scanner.h"
#include "storage/directory_files.h"
#include "storage/file_names.h"
#include "storage/log_state.h"
#include "storage/manager_state.h"

namespace ringlog::storage {

namespace {

constexpr std::string_view bootstrap_file = "bootstrap.checkpoint";
constexpr std::string_view quorum_state_file = "quorum-state";

// Kept alive by its own callbacks; on the engine's thread.
class moment_taker : public std::enable_shared_from_this<moment_taker> {
 public:
  using reply = callback<void(result<std::shared_ptr<const backup_moment>>)>;

  moment_taker(std::shared_ptr<log_manager::state> manager, reply done)
      : manager_(std::move(manager)), done_(std::move(done)) {}

  void begin(const std::function<status()>& note_more) {
    moment_->identity = manager_->identity;
    left_ = 1;
    for (const auto& log : manager_->open_logs()) note(log);
    outcome_ = note_unopened();
    if (outcome_.ok()) outcome_ = note_more();
    for (const backup_log& noted : moment_->logs) {
      if (noted.log == nullptr) continue;
      ++left_;
      manager_->flusher.store(noted.log, noted.end,
                              [self = shared_from_this()] { self->stored(); });
    }
    stored();
  }

 private:
  void note(const std::shared_ptr<partition_log>& log) {
    const log_state& state = log->internals();
    const std::lock_guard guard(state.mutex);
    if (state.deleted || state.offsets.log_end == offset_t(0)) return;
    backup_log noted;
    noted.name = state.name;
    noted.topic_id = state.topic_id;
    noted.directory = state.directory;
    noted.log_start = state.offsets.log_start;
    noted.end = state.offsets.high_watermark;
    for (const auto& of : state.segments) {
      if (noted.segments.empty() || of->base < noted.end) noted.segments.push_back(of->base);
    }
    noted.whole_before = noted.segments.back();
    if (!state.sealed.empty()) {
      noted.whole_before = std::min(noted.whole_before, state.sealed.front().of->base);
    }
    noted.epochs = state.epochs.entries();
    std::erase_if(noted.epochs,
                  [&](const epoch_entry& each) { return each.start_offset >= noted.end; });
    noted.truncations = state.truncations;
    noted.log = log;
    moment_->logs.push_back(std::move(noted));
  }

  status note_unopened() {
    TRY(manager_->scan());
    const std::lock_guard guard(manager_->mutex);
    for (const auto& [name, slot] : manager_->slots) {
      if (slot->log != nullptr || !slot->found || slot->going) continue;
      TRY_ASSIGN(const auto topic_id, manager_->stored_topic_id(name));
      TRY_ASSIGN(backup_log noted, note_files(name, topic_id.value_or(uuid())));
      moment_->logs.push_back(std::move(noted));
    }
    return {};
  }

  result<backup_log> note_files(const topic_partition& name, const uuid& topic_id) {
    io::file_system& disk = manager_->context.outside.disk;
    backup_log noted;
    noted.name = name;
    noted.topic_id = topic_id;
    noted.directory = manager_->directory_of(name);
    noted.log_start = manager_->checkpoints.log_start(name);
    noted.whole_before =
        manager_->clean_shutdown ? offset_t(INT64_MAX) : manager_->checkpoints.recovery_point(name);
    const auto number = manager_->names.find(name);
    TRY_ASSIGN(auto entries, disk.list(noted.directory));
    std::ranges::sort(entries, {}, &io::directory_entry::name);
    for (const io::directory_entry& entry : entries) {
      const auto base = offset_of_file(entry.name);
      if (!base || !entry.name.ends_with(suffixes::log)) continue;
      noted.segments.push_back(*base);
      noted.last_segment_bytes = static_cast<std::int64_t>(entry.size);
    }
    if (number !=
        manager_->names.end()) {  // what a replay left behind the end is cut when it opens
      const journaled_log& known = manager_->table.logs.at(number->second);
      if (!known.is_outside) {
        std::erase_if(noted.segments, [&](offset_t base) { return base > known.segment_base; });
        noted.last_segment_bytes = known.position;
      }
      noted.log_start = known.log_start;
      noted.whole_before = manager_->table.checked_from.at(number->second);
    }
    if (!noted.segments.empty()) {
      noted.whole_before = std::min(noted.whole_before, noted.segments.back());
    }
    TRY_ASSIGN(noted.epochs,
               read_epoch_checkpoint(disk, join_path(noted.directory, file_names::leader_epochs)));
    return noted;
  }

  void stored() {
    if (--left_ > 0) return;
    if (outcome_.ok()) outcome_ = manager_->context.health.check();
    if (!outcome_.ok()) return done_(std::move(outcome_.failure()));
    done_(std::shared_ptr<const backup_moment>(moment_));
  }

  std::shared_ptr<log_manager::state> manager_;
  reply done_;
  std::shared_ptr<backup_moment> moment_ = std::make_shared<backup_moment>();
  std::size_t left_ = 0;
  status outcome_;
};

// Where the first batch at or behind `end` stands.
result<std::int64_t> position_of_end(io::file& segment, offset_t end) {
  TRY_ASSIGN(const std::uint64_t size, segment.size());
  batch_scanner batches(segment, 0, static_cast<std::int64_t>(size));
  while (true) {
    const std::int64_t position = batches.position();
    const auto batch = batches.next();
    // What is being written while it is copied stands behind the end.
    if (!batch.ok() || !*batch || (*batch)->base_offset() >= end) return position;
  }
}

class log_copier {
 public:
  log_copier(io::file_system& source, io::file_system& target_disk, const backup_log& noted,
             std::string target)
      : source_(source), target_disk_(target_disk), noted_(noted), target_(std::move(target)) {}

  status run() {
    TRY(target_disk_.make_directories(target_));
    if (!noted_.topic_id.is_zero() && noted_.name != metadata_partition) {
      TRY(write_partition_metadata(target_disk_, join_path(target_, file_names::partition_metadata),
                                   noted_.topic_id));
    }
    for (std::size_t at = 0; at < noted_.segments.size(); ++at) {
      if (at + 1 < noted_.segments.size()) {
        TRY(copy_sealed(noted_.segments[at]));
      } else {
        TRY(copy_last(noted_.segments[at]));
      }
    }
    TRY(copy_others());
    TRY(io::replace_file(target_disk_, join_path(target_, file_names::leader_epochs),
                         as_bytes(epoch_checkpoint_text(noted_.epochs))));
    return target_disk_.sync_directory(target_);
  }

 private:
  status copy(const std::string& name, std::int64_t bytes_max = INT64_MAX) {
    return io::copy_file(source_, join_path(noted_.directory, name), target_disk_,
                         join_path(target_, name), static_cast<std::uint64_t>(bytes_max));
  }

  status copy_sealed(offset_t base) {
    TRY(copy(segment_file_name(base, suffixes::log)));
    if (base >= noted_.whole_before) return {};  // the open builds its indexes
    for (const std::string_view suffix :
         {suffixes::offset_index, suffixes::time_index, suffixes::transaction_index}) {
      const std::string name = segment_file_name(base, suffix);
      TRY_ASSIGN(const bool there, source_.exists(join_path(noted_.directory, name)));
      if (there) TRY(copy(name));
    }
    return {};
  }

  status copy_last(offset_t base) {
    const std::string name = segment_file_name(base, suffixes::log);
    if (noted_.log == nullptr) return copy(name, noted_.last_segment_bytes);
    TRY_ASSIGN(const bool there, source_.exists(join_path(noted_.directory, name)));
    if (!there && base >= noted_.end) {  // nothing was stored in it yet
      TRY(target_disk_.open(join_path(target_, name), io::open_mode::create_new));
      return {};
    }
    TRY(copy(name));
    TRY_ASSIGN(const auto copied,
               target_disk_.open(join_path(target_, name), io::open_mode::read_write));
    TRY_ASSIGN(const std::int64_t position, position_of_end(*copied, noted_.end));
    TRY(copied->resize(static_cast<std::uint64_t>(position)));
    return copied->sync();
  }

  // Producer snapshots; of the metadata log its own snapshots and quorum-state, too.
  status copy_others() {
    TRY_ASSIGN(const auto entries, source_.list(noted_.directory));
    for (const io::directory_entry& entry : entries) {
      const auto offset = offset_of_file(entry.name);
      const bool is_snapshot = offset && (entry.name.ends_with(suffixes::producer_snapshot) ||
                                          entry.name.ends_with(suffixes::kraft_snapshot));
      const bool is_early = is_snapshot && (*offset <= noted_.end || noted_.log == nullptr);
      if (is_early || entry.name == quorum_state_file) TRY(copy(entry.name));
    }
    return {};
  }

  io::file_system& source_;
  io::file_system& target_disk_;
  const backup_log& noted_;
  const std::string target_;
};

status check_unchanged(const backup_moment& moment) {
  for (const backup_log& noted : moment.logs) {
    if (noted.log == nullptr) continue;
    const log_state& state = noted.log->internals();
    const std::lock_guard guard(state.mutex);
    if (!state.deleted && state.truncations == noted.truncations) continue;
    return make_error(error_code::not_found, "{} was deleted or cut meanwhile",
                      noted.name.to_string());
  }
  return {};
}

}  // namespace

void begin_backup(log_manager& manager, std::function<status()> note_more,
                  callback<void(result<std::shared_ptr<const backup_moment>>)> done) {
  auto taker =
      std::make_shared<moment_taker>(manager.internals().shared_from_this(), std::move(done));
  manager.internals().context.outside.engine.post(
      [taker, note_more = std::move(note_more)] { taker->begin(note_more); });
}

status copy_logs(log_manager& manager, const backup_moment& moment, io::file_system& target_disk,
                 const std::string& target) {
  io::file_system& source = manager.internals().context.outside.disk;
  const auto in_target = [&](std::string_view name) { return join_path(target, name); };
  offset_checkpoint starts;
  offset_checkpoint whole;
  for (const backup_log& noted : moment.logs) {
    TRY(log_copier(source, target_disk, noted, in_target(noted.name.to_string())).run());
    if (noted.name == metadata_partition || noted.segments.empty()) continue;
    whole[noted.name] = noted.whole_before;
    if (noted.log_start > offset_t(0)) starts[noted.name] = noted.log_start;
  }
  TRY(check_unchanged(moment));
  const std::string bootstrap = join_path(manager.directory(), bootstrap_file);
  TRY_ASSIGN(const bool has_bootstrap, source.exists(bootstrap));
  if (has_bootstrap) {
    TRY(io::copy_file(source, bootstrap, target_disk, in_target(bootstrap_file)));
  }
  TRY(write_offset_checkpoint(target_disk, in_target(file_names::log_starts), starts));
  TRY(write_offset_checkpoint(target_disk, in_target(file_names::recovery_points), whole));
  return write_meta_properties(target_disk, in_target(file_names::meta_properties),
                               moment.identity);
}

}  // namespace ringlog::storage
