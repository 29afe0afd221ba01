#include "storage/log_loader.h"

#include <algorithm>

#include "storage/batch_scanner.h"
#include "storage/file_names.h"
#include "storage/producer_snapshot.h"
#include "storage/swap_files.h"

namespace ringlog::storage {

std::string log_loader::path(std::string_view name) const {
  return join_path(request_.directory, name);
}

void log_loader::warn(std::string_view message) const {
  outside_.sink.log(log_level::warning, "{}: {}", request_.directory, message);
}

result<loaded_log> log_loader::load() {
  if (!request_.read_only) TRY(finish_swaps(outside_.disk, outside_.sink, request_.directory));
  TRY(open_segments());
  producers_.emplace(outside_, cache_, request_.directory, snapshots_,
                     request_.config.producer_id_expiration_ms);
  TRY_ASSIGN(auto epochs, read_epoch_checkpoint(outside_.disk, path(file_names::leader_epochs)));
  loaded_.epochs = epoch_cache(std::move(epochs));

  if (request_.clean_shutdown) TRY(load_clean_tail());
  if (!request_.clean_shutdown) TRY(recover_tail());

  if (!loaded_.segments.empty() && loaded_.segments.back()->end < request_.log_start) {
    warn(
        fmt::format("the log ends at {}, before its start {}: segment files are missing; it goes "
                    "on empty",
                    loaded_.segments.back()->end, request_.log_start));
    TRY(drop_segments_from(0));
    TRY(producers_->load(request_.log_start, request_.log_start));
  }
  if (loaded_.segments.empty()) {
    loaded_.segments.push_back(std::make_shared<segment>(request_.directory, request_.log_start,
                                                         outside_.clock.wall_ms()));
    loaded_.segments.back()->indexes = std::make_shared<segment_indexes>(request_.log_start);
  }
  loaded_.log_end = loaded_.segments.back()->end;
  loaded_.log_start = std::max(request_.log_start, loaded_.segments.front()->base);
  loaded_.epochs.truncate_from_end(loaded_.log_end);
  loaded_.epochs.truncate_from_start(loaded_.log_start);
  if (!loaded_.recovered) {
    TRY(producers_->load(loaded_.log_start, loaded_.log_end));
    TRY(producers_->replay(loaded_.segments, loaded_.log_end));
  }
  producers_->recall(loaded_.segments);
  loaded_.producers = std::move(*producers_).take();
  loaded_.producers.log_start_moved(loaded_.log_start);
  loaded_.producers.remove_expired(outside_.clock.wall_ms(),
                                   request_.config.producer_id_expiration_ms);
  TRY(remove_stray_snapshots());
  loaded_.snapshots = snapshots_;
  return std::move(loaded_);
}

status log_loader::open_segments() {
  TRY_ASSIGN(auto entries, outside_.disk.list(request_.directory));
  std::sort(entries.begin(), entries.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  for (const io::directory_entry& entry : entries) {
    const auto offset = offset_of_file(entry.name);
    if (entry.is_directory || !offset) continue;
    if (entry.name.ends_with(suffixes::swap) && request_.read_only) {
      return make_error(error_code::unsupported,
                        "{}: a compaction was interrupted here; open the directory for writing "
                        "once to finish it",
                        path(entry.name));
    }
    if (entry.name.ends_with(suffixes::producer_snapshot)) snapshots_.push_back(*offset);
    if (!entry.name.ends_with(suffixes::log)) continue;
    auto opened = std::make_shared<segment>(request_.directory, *offset, outside_.clock.wall_ms());
    opened->bytes = opened->stored_bytes = static_cast<std::int64_t>(entry.size);
    opened->on_disk = true;
    if (!loaded_.segments.empty()) loaded_.segments.back()->end = *offset;
    loaded_.segments.push_back(std::move(opened));
  }
  if (request_.journaled) TRY(fit_to_journal());
  recover_from_ = first_unflushed();
  for (std::size_t at = 0; at < loaded_.segments.size(); ++at) {
    const auto size_of = [&](std::string_view suffix) -> std::optional<std::uint64_t> {
      const std::string name = segment_file_name(loaded_.segments[at]->base, suffix);
      const auto found = std::find_if(entries.begin(), entries.end(),
                                      [&](const auto& entry) { return entry.name == name; });
      return found == entries.end() ? std::nullopt : std::optional(found->size);
    };
    TRY(check_indexes(at, {size_of(suffixes::offset_index), size_of(suffixes::time_index),
                           size_of(suffixes::transaction_index)}));
  }
  return {};
}

// Segments behind the journal's end go, the one that holds it is cut there.
status log_loader::fit_to_journal() {
  const journaled_log& known = *request_.journaled;
  while (!loaded_.segments.empty() && loaded_.segments.back()->base > known.segment_base) {
    TRY(drop_segments_from(loaded_.segments.size() - 1));
  }
  if (loaded_.segments.empty() || loaded_.segments.back()->base < known.segment_base) {
    if (known.position == 0) {  // its first batch is still to come
      auto next = std::make_shared<segment>(request_.directory, known.segment_base,
                                            outside_.clock.wall_ms());
      loaded_.segments.push_back(std::move(next));
      return {};
    }
    return make_error(error_code::corrupt,
                      "{}: the segment at offset {} is missing, although the journal says that it "
                      "holds {} bytes; `ringlog check` says what can be saved",
                      request_.directory, known.segment_base, known.position);
  }
  segment& last = *loaded_.segments.back();
  if (last.bytes < known.position) {
    return make_error(
        error_code::corrupt,
        "{} has {} bytes, although the journal says that it holds {}; `ringlog check` "
        "says what can be saved",
        last.path(suffixes::log), last.bytes, known.position);
  }
  if (last.bytes == known.position) return {};
  if (!request_.read_only) {
    TRY_ASSIGN(const auto file, cache_.log_file(last));
    TRY(file->resize(static_cast<std::uint64_t>(known.position)));
  }
  last.bytes = last.stored_bytes = known.position;
  return {};
}

std::size_t log_loader::first_unflushed() const {
  if (request_.clean_shutdown) return loaded_.segments.size();
  std::size_t first = 0;
  while (first + 1 < loaded_.segments.size() &&
         loaded_.segments[first + 1]->base <=
             (request_.journaled ? request_.checked_from : request_.recovery_point)) {
    ++first;
  }
  return first;
}

status log_loader::check_indexes(std::size_t number, const index_file_sizes& sizes) {
  if (number >= recover_from_) return {};  // all of them are built again
  segment& of = *loaded_.segments[number];
  of.has_aborted = sizes.transactions.value_or(0) > 0;
  if (sizes.transactions.value_or(0) % transaction_index::entry_bytes != 0) {
    warn(fmt::format("transaction index of segment {} is damaged; recovering from there on",
                     of.base));
    recover_from_ = number;
    request_.clean_shutdown = false;
    return {};
  }
  if (sizes.offsets && *sizes.offsets % offset_index::entry_bytes == 0 && sizes.times &&
      *sizes.times % time_index::entry_bytes == 0) {
    return load_max_timestamp(of, *sizes.times);
  }
  warn(
      fmt::format("an index of segment {} is missing or has an impossible size; building it "
                  "again",
                  of.base));
  TRY_ASSIGN(const auto file, cache_.log_file(of));
  TRY_ASSIGN(const auto built,
             rebuild_indexes(outside_.disk, *file, of, request_.config.index_interval_bytes));
  if (!request_.read_only) TRY(write_indexes(outside_.disk, of, *built, loaded_.written));
  of.max_timestamp = built->times.last();
  cache_.keep(of, built);
  return {};
}

status log_loader::load_max_timestamp(segment& of, std::uint64_t index_bytes) {
  if (index_bytes == 0) return {};
  const std::string name = of.path(suffixes::time_index);
  TRY_ASSIGN(const auto file, outside_.disk.open(name, io::open_mode::read));
  byte_buffer entry(time_index::entry_bytes);
  TRY_ASSIGN(const std::size_t got, file->read_at(index_bytes - entry.size(), entry));
  auto last = time_index::decode(bytes_view(entry).first(got), of.base, name);
  if (last.ok() && last->last() != timestamp_offset{0, of.base}) {
    of.max_timestamp = last->last();
    return {};
  }
  // Preallocated zeros or damage: the whole index tells, built again if need be.
  TRY_ASSIGN(const auto whole, cache_.indexes(of));
  of.max_timestamp = whole->times.last();
  return {};
}

status log_loader::load_clean_tail() {
  if (loaded_.segments.empty()) return {};
  segment& active = *loaded_.segments.back();
  TRY_ASSIGN(const auto known, cache_.indexes(active));
  active.indexes = std::make_shared<segment_indexes>(*known);
  active.max_timestamp = known->times.last();
  TRY_ASSIGN(const auto file, cache_.log_file(active));
  batch_scanner front(*file, 0, active.bytes);
  auto first = front.next();
  if (first.ok() && *first) active.first_timestamp = (*first)->max_timestamp();

  batch_scanner tail(*file, active.indexes->offsets.lookup(offset_t(INT64_MAX)).value(),
                     active.bytes);
  while (first.ok()) {
    auto batch = tail.next();
    if (!batch.ok() || !*batch) break;
    if (!model::validate(**batch, model::validation_level::header).ok()) break;
    active.end = std::max(active.end, (*batch)->next_offset());
    if ((*batch)->max_timestamp() > active.max_timestamp.timestamp) {
      active.max_timestamp = {(*batch)->max_timestamp(), (*batch)->last_offset()};
    }
  }
  if (tail.position() == active.bytes) return {};
  warn(
      fmt::format("segment {} does not end with a whole batch although the last shutdown was "
                  "clean; recovering it",
                  active.base));
  request_.clean_shutdown = false;
  recover_from_ = loaded_.segments.size() - 1;
  return {};
}

status log_loader::recover_tail() {
  loaded_.recovered = true;
  if (loaded_.segments.empty()) return {};
  // One segment more than needed is replayed: snapshots keep a producer's last batch only, and its
  // last five are to be known.
  const std::size_t replay_from = recover_from_ == 0 ? 0 : recover_from_ - 1;
  TRY(producers_->load(request_.log_start, loaded_.segments[replay_from]->base));
  TRY(producers_->replay(loaded_.segments, loaded_.segments[recover_from_]->base));
  for (std::size_t at = recover_from_; at < loaded_.segments.size(); ++at) {
    segment& of = *loaded_.segments[at];
    if (at > 0) TRY(write_snapshot(of.base));
    TRY_ASSIGN(const bool cut, recover_segment(of));
    if (cut || ends_early(at)) {
      TRY(drop_segments_from(at + 1));
    } else if (at + 1 < loaded_.segments.size()) {
      of.end = loaded_.segments[at + 1]->base;
    }
    if (at + 1 == loaded_.segments.size()) break;
    of.complete_time_index();
    if (!request_.read_only) TRY(write_indexes(outside_.disk, of, *of.indexes, loaded_.written));
    cache_.keep(of, std::exchange(of.indexes, nullptr));
  }
  return {};
}

bool log_loader::ends_early(std::size_t number) const {
  const segment& of = *loaded_.segments[number];
  if (!request_.unbroken_from || of.base < *request_.unbroken_from) return false;
  if (number + 1 == loaded_.segments.size()) return false;
  if (of.end == loaded_.segments[number + 1]->base) return false;
  warn(fmt::format("segment {} ends at offset {}, before the next one begins: the log ends there",
                   of.base, of.end));
  return true;
}

result<bool> log_loader::recover_segment(segment& of) {
  const std::int64_t file_bytes = of.bytes;
  of.bytes = 0;
  of.end = of.base;
  of.has_aborted = false;
  of.first_timestamp.reset();
  of.max_timestamp = {no_timestamp, of.base};
  of.indexes = std::make_shared<segment_indexes>(of.base);
  cache_.forget(of);
  if (file_bytes == 0 && request_.journaled) return keep_all(of, 0, {});
  TRY_ASSIGN(const auto file, cache_.log_file(of));
  batch_scanner scanner(*file, 0, file_bytes);
  std::string reason = "an incomplete batch at its end";
  while (of.bytes < file_bytes) {
    auto batch = scanner.next();
    if (batch.ok() && !*batch) break;
    status checked = batch.ok() ? accept_recovered(of, **batch) : status(batch.failure());
    if (checked.ok()) continue;
    // A header torn at a sector's edge has zero for its magic, as old formats do; those stand at
    // the start of a segment, if anywhere.
    const bool torn = checked.code() == error_code::unsupported && of.bytes > 0;
    if (checked.code() != error_code::corrupt && !torn) return std::move(checked.failure());
    reason = checked.failure().message;
    break;
  }
  if (request_.journaled) return keep_all(of, file_bytes, reason);
  const bool cut = of.bytes < file_bytes;
  if (cut) {
    warn(fmt::format("segment {} is cut from {} to {} bytes, the log ends at offset {}: {}",
                     of.base, file_bytes, of.bytes, of.end, reason));
  }
  of.stored_bytes = of.bytes;
  if (request_.read_only) return cut;
  if (cut) TRY(file->resize(static_cast<std::uint64_t>(of.bytes)));
  TRY(file->sync());
  return cut;
}

// What the journal vouches for is not cut: a read past the damage names it, the rest is served.
bool log_loader::keep_all(segment& of, std::int64_t file_bytes, std::string_view damage) {
  const bool is_last = &of == loaded_.segments.back().get();
  if (of.bytes < file_bytes) {
    warn(fmt::format("segment {} is damaged behind offset {}: {}", of.base, of.end, damage));
  }
  of.bytes = of.stored_bytes = file_bytes;
  if (is_last) of.end = request_.journaled->end;
  return false;
}

status log_loader::accept_recovered(segment& of, const model::batch_view& batch) {
  TRY(of.check_next(batch));
  TRY(model::validate(batch, model::validation_level::checksum));
  std::vector<aborted_range> aborted;
  TRY(producers_->apply(batch, aborted));
  of.note_batch(batch, request_.config.index_interval_bytes);
  for (const aborted_range& range : aborted) of.note_aborted(range);
  if (batch.partition_leader_epoch() > loaded_.epochs.latest()) {
    loaded_.epochs.assign(batch.partition_leader_epoch(), batch.base_offset());
  }
  return {};
}

status log_loader::drop_segments_from(std::size_t first) {
  while (loaded_.segments.size() > first) {
    const auto dropped = loaded_.segments.back();
    loaded_.segments.pop_back();
    cache_.forget(*dropped);
    if (request_.read_only) continue;
    TRY(remove_segment_files(outside_.disk, *dropped));
    std::erase(snapshots_, dropped->base);
    loaded_.written.add_directory(request_.directory);
  }
  return {};
}

// ---- producers

status log_loader::write_snapshot(offset_t at) {
  if (request_.read_only || std::binary_search(snapshots_.begin(), snapshots_.end(), at)) {
    return {};
  }
  std::string file = path(segment_file_name(at, suffixes::producer_snapshot));
  // A torn one is passed over.
  TRY(io::write_file(outside_.disk, file,
                     encode_producer_snapshot(producers_->producers().sorted())));
  loaded_.written.add_file(std::move(file));
  loaded_.written.add_directory(request_.directory);
  snapshots_.insert(std::upper_bound(snapshots_.begin(), snapshots_.end(), at), at);
  return {};
}

status log_loader::remove_stray_snapshots() {
  const offset_t active = loaded_.segments.back()->base;
  std::vector<offset_t> kept;
  for (const offset_t offset : snapshots_) {
    const bool of_segment = std::any_of(loaded_.segments.begin(), loaded_.segments.end(),
                                        [&](const auto& known) { return known->base == offset; });
    const bool newest = offset == snapshots_.back() && offset > active;
    if (offset <= loaded_.log_end && (of_segment || newest)) {
      kept.push_back(offset);
    } else if (!request_.read_only) {
      TRY(outside_.disk.remove(path(segment_file_name(offset, suffixes::producer_snapshot))));
    }
  }
  snapshots_ = std::move(kept);
  return {};
}

}  // namespace ringlog::storage
