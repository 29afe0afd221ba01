#include "storage/segment_cache.h"

#include "storage/batch_scanner.h"
#include "storage/file_names.h"

namespace ringlog::storage {

namespace {

constexpr std::int64_t default_index_interval_bytes = 4096;

result<byte_buffer> read_index_file(io::file_system& disk, const std::string& path) {
  return io::read_file(disk, path, limits::index_file_bytes_max);
}

result<transaction_index> read_transaction_index(io::file_system& disk, const segment& of) {
  const std::string path = of.path(suffixes::transaction_index);
  TRY_ASSIGN(const bool there, disk.exists(path));
  if (!there) return transaction_index();
  TRY_ASSIGN(const byte_buffer content, read_index_file(disk, path));
  return transaction_index::decode(content, path);
}

std::int64_t memory_of(const segment_indexes& indexes) {
  return static_cast<std::int64_t>(indexes.offsets.size() * offset_index::entry_bytes +
                                   indexes.times.size() * sizeof(timestamp_offset) +
                                   indexes.transactions.entries().size() * sizeof(aborted_range));
}

}  // namespace

segment_cache::segment_cache(io::file_system& disk, log_sink& sink, bool read_only,
                             std::int64_t files_max, std::int64_t index_bytes_max)
    : disk_(disk),
      sink_(sink),
      read_only_(read_only),
      files_max_(files_max),
      index_bytes_max_(index_bytes_max) {}

result<std::shared_ptr<io::file>> segment_cache::log_file(const segment& of) {
  return open_log_file(of, read_only_ ? io::open_mode::read : io::open_mode::read_write);
}

result<std::shared_ptr<io::file>> segment_cache::make_log_file(const segment& of) {
  return open_log_file(of, io::open_mode::create);
}

result<std::shared_ptr<io::file>> segment_cache::open_log_file(const segment& of,
                                                               io::open_mode mode) {
  {
    const std::lock_guard lock(mutex_);
    if (by_id_.contains(of.id)) {
      slot& known = touch(of.id);
      if (known.file != nullptr) return known.file;
    }
  }
  TRY_ASSIGN(std::shared_ptr<io::file> opened, disk_.open(of.path(suffixes::log), mode));
  const std::lock_guard lock(mutex_);
  slot& kept = touch(of.id);
  if (kept.file == nullptr) kept.file = std::move(opened);
  const std::shared_ptr<io::file> file = kept.file;
  shrink();
  return file;
}

result<std::shared_ptr<const segment_indexes>> segment_cache::indexes(const segment& of) {
  {
    const std::lock_guard lock(mutex_);
    if (by_id_.contains(of.id)) {
      slot& known = touch(of.id);
      if (known.indexes != nullptr) return known.indexes;
    }
  }
  auto loaded = read_indexes(disk_, of);
  if (!loaded.ok()) {
    const error_code code = loaded.code();
    if (code != error_code::corrupt && code != error_code::not_found) {
      return std::move(loaded.failure());
    }
    sink_.log(log_level::warning, "{}; its index is built again in memory from the batches",
              loaded.failure().message);
    TRY_ASSIGN(const auto file, log_file(of));
    loaded = rebuild_indexes(disk_, *file, of, default_index_interval_bytes);
    if (!loaded.ok()) return std::move(loaded.failure());
  }
  const std::shared_ptr<const segment_indexes> found = *loaded;
  keep(of, found);
  return found;
}

void segment_cache::keep(const segment& of, std::shared_ptr<const segment_indexes> loaded) {
  const std::lock_guard lock(mutex_);
  slot& kept = touch(of.id);
  index_bytes_ -= kept.index_bytes;
  kept.index_bytes = memory_of(*loaded);
  index_bytes_ += kept.index_bytes;
  kept.indexes = std::move(loaded);
  shrink();
}

void segment_cache::forget(const segment& of) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(of.id);
  if (found == by_id_.end()) return;
  index_bytes_ -= found->second->index_bytes;
  slots_.erase(found->second);
  by_id_.erase(found);
}

segment_cache::slot& segment_cache::touch(std::uint64_t segment_id) {
  const auto found = by_id_.find(segment_id);
  if (found == by_id_.end()) {
    slots_.push_front({segment_id, nullptr, nullptr, 0});
    by_id_.emplace(segment_id, slots_.begin());
  } else {
    slots_.splice(slots_.begin(), slots_, found->second);
  }
  return slots_.front();
}

void segment_cache::shrink() {
  while (slots_.size() > 1 && (static_cast<std::int64_t>(slots_.size()) > files_max_ ||
                               index_bytes_ > index_bytes_max_)) {
    index_bytes_ -= slots_.back().index_bytes;
    by_id_.erase(slots_.back().segment_id);
    slots_.pop_back();
  }
}

result<std::shared_ptr<segment_indexes>> read_indexes(io::file_system& disk, const segment& of) {
  auto loaded = std::make_shared<segment_indexes>(of.base);
  const std::string offset_path = of.path(suffixes::offset_index);
  TRY_ASSIGN(const byte_buffer offsets, read_index_file(disk, offset_path));
  TRY_ASSIGN(loaded->offsets, offset_index::decode(offsets, of.base, of.bytes, offset_path));
  const std::string time_path = of.path(suffixes::time_index);
  TRY_ASSIGN(const byte_buffer times, read_index_file(disk, time_path));
  TRY_ASSIGN(loaded->times, time_index::decode(times, of.base, time_path));
  TRY_ASSIGN(loaded->transactions, read_transaction_index(disk, of));
  return loaded;
}

result<std::shared_ptr<segment_indexes>> rebuild_indexes(io::file_system& disk, io::file& log,
                                                         const segment& of,
                                                         std::int64_t index_interval_bytes) {
  segment scratch(of.directory, of.base, of.created_ms);
  scratch.indexes = std::make_shared<segment_indexes>(of.base);
  batch_scanner scanner(log, 0, of.bytes);
  while (true) {
    auto batch = scanner.next();
    if (!batch.ok() && batch.code() != error_code::corrupt) return std::move(batch.failure());
    // Past damage nothing is indexed; a read that gets there will name it.
    if (!batch.ok() || !*batch || !scratch.check_next(**batch).ok()) break;
    scratch.note_batch(**batch, index_interval_bytes);
  }
  scratch.complete_time_index();
  TRY_ASSIGN(scratch.indexes->transactions, read_transaction_index(disk, of));
  return scratch.indexes;
}

status write_indexes(io::file_system& disk, const segment& of, const segment_indexes& indexes,
                     sync_group& written) {
  const auto write = [&](std::string_view suffix, bytes_view content) -> status {
    std::string path = of.path(suffix);
    TRY(io::write_file(disk, path, content));
    written.add_file(std::move(path));
    return {};
  };
  written.add_directory(of.directory);
  TRY(write(suffixes::offset_index, indexes.offsets.encode()));
  TRY(write(suffixes::time_index, indexes.times.encode()));
  if (!indexes.transactions.entries().empty()) {
    return write(suffixes::transaction_index, indexes.transactions.encode());
  }
  const std::string path = of.path(suffixes::transaction_index);
  TRY_ASSIGN(const bool stale, disk.exists(path));
  return stale ? disk.remove(path) : status();
}

}  // namespace ringlog::storage
