#include "storage/log_checkpoints.h"

#include "storage/file_names.h"

namespace ringlog::storage {

namespace {
offset_t entry_of(const offset_checkpoint& entries, const topic_partition& name) {
  const auto found = entries.find(name);
  return found == entries.end() ? offset_t(0) : found->second;
}
}  // namespace

status log_checkpoints::read(checkpoint& of) {
  TRY_ASSIGN(of.entries, read_offset_checkpoint(disk_, join_path(directory_, of.file_name)));
  return {};
}

void log_checkpoints::checkpoint::put(const topic_partition& name, offset_t offset) {
  const auto [entry, is_new] = entries.try_emplace(name, offset);
  if (!is_new && entry->second == offset) return;
  entry->second = offset;
  is_changed = true;
}

void log_checkpoints::checkpoint::remove(const topic_partition& name) {
  if (entries.erase(name) > 0) is_changed = true;
}

status log_checkpoints::read() {
  recovery_points_.file_name = file_names::recovery_points;
  log_starts_.file_name = file_names::log_starts;
  high_watermarks_.file_name = file_names::high_watermarks;
  TRY(read(recovery_points_));
  TRY(read(log_starts_));
  return read(high_watermarks_);
}

offset_t log_checkpoints::recovery_point(const topic_partition& name) const {
  return entry_of(recovery_points_.entries, name);
}

offset_t log_checkpoints::log_start(const topic_partition& name) const {
  return entry_of(log_starts_.entries, name);
}

void log_checkpoints::note(const topic_partition& name, const log_offsets& offsets,
                           offset_t first_base) {
  recovery_points_.put(name, offsets.durable_end);
  high_watermarks_.put(name, offsets.high_watermark);
  if (offsets.log_start > first_base) {
    log_starts_.put(name, offsets.log_start);
  } else {
    log_starts_.remove(name);
  }
}

void log_checkpoints::forget(const topic_partition& name) {
  recovery_points_.remove(name);
  log_starts_.remove(name);
  high_watermarks_.remove(name);
}

status log_checkpoints::write(checkpoint& of) {
  if (!of.is_changed) return {};
  TRY(write_offset_checkpoint(disk_, join_path(directory_, of.file_name), of.entries));
  of.is_changed = false;
  return {};
}

status log_checkpoints::write_all() {
  TRY(write_recovery_points());
  TRY(write_log_starts());
  return write_high_watermarks();
}

}  // namespace ringlog::storage
