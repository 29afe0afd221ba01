#include "app/dump.h"

#include <algorithm>

#include "app/dump_batches.h"
#include "storage/file_names.h"
#include "storage/offset_index.h"
#include "storage/producer_snapshot.h"
#include "storage/time_index.h"
#include "storage/transaction_index.h"

namespace ringlog::app {

namespace {

namespace suffixes = storage::suffixes;
using fields = entry_writer::fields;

std::string name_in(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// An offset that may be absent: a number or null in JSON, Kafka's spelling in text.
fields optional_offset(offset_t value, const entry_writer& target) {
  if (value == no_offset) return nullptr;
  if (target.format() == dump_format::json) return value.value();
  return fmt::format("OptionalLong[{}]", value);
}

status dump_offset_index(bytes_view content, offset_t base, const std::string& path,
                         entry_writer& target) {
  TRY_ASSIGN(const auto index, storage::offset_index::decode(content, base, INT64_MAX, path));
  for (std::size_t at = 0; at < index.size(); ++at) {
    const storage::offset_position entry = index.at(at);
    target.entry("index", {{"offset", entry.offset.value()}, {"position", entry.position.value()}});
  }
  return {};
}

status dump_time_index(bytes_view content, offset_t base, const std::string& path,
                       entry_writer& target) {
  TRY_ASSIGN(const auto index, storage::time_index::decode(content, base, path));
  for (std::size_t at = 0; at < index.size(); ++at) {
    const storage::timestamp_offset entry = index.at(at);
    target.entry("timeindex", {{"timestamp", entry.timestamp}, {"offset", entry.offset.value()}});
  }
  return {};
}

status dump_transaction_index(bytes_view content, const std::string& path, entry_writer& target) {
  TRY_ASSIGN(const auto index, storage::transaction_index::decode(content, path));
  for (const storage::aborted_range& entry : index.entries()) {
    target.entry("txnindex", {{"version", 0},
                              {"producerId", entry.producer_id.value()},
                              {"firstOffset", entry.first_offset.value()},
                              {"lastOffset", entry.last_offset.value()},
                              {"lastStableOffset", entry.last_stable_offset.value()}});
  }
  return {};
}

status dump_snapshot(bytes_view content, const std::string& path, entry_writer& target) {
  TRY_ASSIGN(const auto entries, storage::decode_producer_snapshot(content, path));
  for (const storage::producer_entry& entry : entries) {
    fields values{{"producerId", entry.producer_id.value()},
                  {"producerEpoch", entry.producer_epoch.value()},
                  {"coordinatorEpoch", entry.coordinator_epoch},
                  {"currentTxnFirstOffset", optional_offset(entry.transaction_start, target)},
                  {"lastTimestamp", entry.last_timestamp}};
    if (entry.has_batches()) {
      const storage::producer_batch& batch = entry.last_batch();
      values.update({{"firstSequence", batch.first_sequence()},
                     {"lastSequence", batch.last_sequence},
                     {"lastOffset", batch.last_offset.value()},
                     {"offsetDelta", batch.offset_delta},
                     {"timestamp", batch.timestamp}});
    }
    target.entry("snapshot", values);
  }
  return {};
}

bool is_text_file(std::string_view name) {
  namespace names = storage::file_names;
  for (const std::string_view known :
       {names::meta_properties, names::clean_shutdown, names::recovery_points, names::log_starts,
        names::high_watermarks, names::cleaner_offsets, names::leader_epochs,
        names::partition_metadata, std::string_view("quorum-state")}) {
    if (name == known) return true;
  }
  return false;
}

bool is_batch_file(std::string_view name) {
  return name.ends_with(suffixes::log) || name.ends_with(suffixes::kraft_snapshot);
}

bool is_known(std::string_view name) {
  if (is_text_file(name) || is_batch_file(name)) return true;
  return storage::offset_of_file(name) &&
         (name.ends_with(suffixes::offset_index) || name.ends_with(suffixes::time_index) ||
          name.ends_with(suffixes::transaction_index) ||
          name.ends_with(suffixes::producer_snapshot));
}

void dump_text(bytes_view content, entry_writer& target) {
  std::string_view rest = as_text(content);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    target.note(rest.substr(0, end));
    if (end == rest.npos) return;
    rest.remove_prefix(end + 1);
  }
}

status dump_file(io::file_system& disk, const std::string& path, const dump_options& options,
                 entry_writer& target) {
  const std::string name = name_in(path);
  target.begin_file(path);
  if (is_batch_file(name)) return dump_batches(disk, path, options.records, target);
  TRY_ASSIGN(const byte_buffer content, io::read_file(disk, path, limits::index_file_bytes_max));
  if (is_text_file(name)) {
    dump_text(content, target);
    return {};
  }
  const auto base = storage::offset_of_file(name);
  if (!base || !is_known(name)) {
    return make_error(error_code::unsupported,
                      "{}: no file of a log directory that dump knows by its name", path);
  }
  if (name.ends_with(suffixes::offset_index)) {
    return dump_offset_index(content, *base, path, target);
  }
  if (name.ends_with(suffixes::time_index)) return dump_time_index(content, *base, path, target);
  if (name.ends_with(suffixes::transaction_index)) {
    return dump_transaction_index(content, path, target);
  }
  return dump_snapshot(content, path, target);
}

status dump_directory(io::file_system& disk, const std::string& path,
                      std::vector<io::directory_entry> entries, const dump_options& options,
                      entry_writer& target) {
  std::sort(entries.begin(), entries.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  status outcome;
  const auto keep_first = [&](status latest) {
    if (latest.ok()) return;
    target.note(latest.failure().message);
    if (outcome.ok()) outcome = std::move(latest);
  };
  for (const io::directory_entry& entry : entries) {
    const std::string inner = storage::join_path(path, entry.name);
    if (!entry.is_directory) {
      if (is_known(entry.name)) keep_first(dump_file(disk, inner, options, target));
      continue;
    }
    auto below = disk.list(inner);
    if (!below.ok()) {
      keep_first(std::move(below.failure()));
    } else {
      const status dumped = dump_directory(disk, inner, std::move(*below), options, target);
      if (!dumped.ok() && outcome.ok()) outcome = dumped;
    }
  }
  return outcome;
}

// While the name of its identity says that ringlog did not close a log directory, batches that
// were acknowledged may be in the journal alone.
void note_open_journal(io::file_system& disk, const std::string& path, entry_writer& target) {
  for (std::string at = path; at != "." && at != "/"; at = io::parent_of(at)) {
    for (const std::string_view log : {std::string_view("log"), std::string_view()}) {
      const std::string directory = log.empty() ? at : storage::join_path(at, log);
      const auto set_aside = disk.exists(
          storage::join_path(directory, storage::file_names::set_aside_meta_properties));
      if (!set_aside.ok() || !*set_aside) continue;
      return target.note(directory +
                         " was not closed: what is in its journal only is not shown here; `ringlog "
                         "recover` puts it into the segments");
    }
  }
}

}  // namespace

status dump(io::file_system& disk, const std::string& path, const dump_options& options,
            entry_writer& target) {
  note_open_journal(disk, path, target);
  if (auto entries = disk.list(path); entries.ok()) {
    return dump_directory(disk, path, std::move(*entries), options, target);
  }
  return dump_file(disk, path, options, target);
}

}  // namespace ringlog::app
