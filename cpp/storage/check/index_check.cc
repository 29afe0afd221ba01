#include "storage/check/index_check.h"

#include <algorithm>

#include "base/limits.h"
#include "storage/file_names.h"

namespace ringlog::storage {

index_check::index_check(io::file_system& disk, std::string directory, offset_t base)
    : disk_(disk), directory_(std::move(directory)), base_(base) {}

std::string index_check::path(std::string_view suffix) const {
  return join_path(directory_, segment_file_name(base_, suffix));
}

result<std::optional<byte_buffer>> index_check::read(std::string_view suffix) {
  TRY_ASSIGN(const bool there, disk_.exists(path(suffix)));
  if (!there) return std::optional<byte_buffer>();
  TRY_ASSIGN(byte_buffer content, io::read_file(disk_, path(suffix), limits::index_file_bytes_max));
  return std::optional(std::move(content));
}

status index_check::load(std::int64_t log_bytes) {
  TRY_ASSIGN(const auto offsets, read(suffixes::offset_index));
  TRY_ASSIGN(const auto times, read(suffixes::time_index));
  TRY_ASSIGN(const auto transactions, read(suffixes::transaction_index));
  lacks_files_ = !offsets || !times;
  if (offsets) {
    auto index = offset_index::decode(*offsets, base_, log_bytes, path(suffixes::offset_index));
    if (!index.ok())
      fault(suffixes::offset_index, sentence_of(index.failure(), path(suffixes::offset_index)));
    if (index.ok()) offsets_ = std::move(*index);
  }
  if (times) {
    auto index = time_index::decode(*times, base_, path(suffixes::time_index));
    if (!index.ok())
      fault(suffixes::time_index, sentence_of(index.failure(), path(suffixes::time_index)));
    if (index.ok()) times_ = std::move(*index);
  }
  auto index = transaction_index::decode(transactions.value_or(byte_buffer()),
                                         path(suffixes::transaction_index));
  if (!index.ok())
    fault(suffixes::transaction_index,
          sentence_of(index.failure(), path(suffixes::transaction_index)));
  if (index.ok()) transactions_ = std::move(*index);
  return {};
}

void index_check::take(const model::batch_header_view& batch, std::int64_t position) {
  if (offsets_ && !is_faulty(suffixes::offset_index)) take_offsets(batch, position);
  max_timestamp_ = std::max(max_timestamp_, batch.max_timestamp());
  if (times_ && !is_faulty(suffixes::time_index)) take_times(batch);
}

// An entry names the start of a batch, and the last offset of that batch or, when several were
// appended at once, of one behind it.
void index_check::take_offsets(const model::batch_header_view& batch, std::int64_t position) {
  if (next_position_ < offsets_->size()) {
    const offset_position entry = offsets_->at(next_position_);
    if (entry.position.value() < position) {
      return fault(suffixes::offset_index, next_position_, offset_index::entry_bytes, entry.offset,
                   fmt::format("it says that a batch starts at byte {} of the segment; none does",
                               entry.position));
    }
    if (entry.position.value() == position) ++next_position_;
  }
  if (next_offset_ < offsets_->size()) {
    const offset_position entry = offsets_->at(next_offset_);
    if (entry.offset < batch.last_offset() ||
        (entry.offset == batch.last_offset() && entry.position.value() > position)) {
      return fault(suffixes::offset_index, next_offset_, offset_index::entry_bytes, entry.offset,
                   fmt::format("offset {} does not end a batch at or behind byte {} of the segment",
                               entry.offset, entry.position));
    }
    if (entry.offset == batch.last_offset()) ++next_offset_;
  }
}

// An entry's timestamp is the largest so far, and its offset lies in the batch that has it.
void index_check::take_times(const model::batch_header_view& batch) {
  while (next_time_ < times_->size()) {
    const timestamp_offset entry = times_->at(next_time_);
    if (entry.offset > batch.last_offset()) return;
    if (entry.offset < batch.base_offset() || entry.timestamp != batch.max_timestamp() ||
        entry.timestamp != max_timestamp_) {
      return fault(suffixes::time_index, next_time_, time_index::entry_bytes, entry.offset,
                   fmt::format("timestamp {} at offset {} is not the largest up to there, which is "
                               "{}",
                               entry.timestamp, entry.offset, max_timestamp_));
    }
    ++next_time_;
  }
}

void index_check::finish(const std::vector<aborted_range>* aborted, bool complete) {
  if (offsets_ && !is_faulty(suffixes::offset_index)) {
    const std::size_t first = std::min(next_position_, next_offset_);
    if (first < offsets_->size()) {
      fault(suffixes::offset_index, first, offset_index::entry_bytes, offsets_->at(first).offset,
            "it points past the last batch of the segment");
    }
  }
  if (times_ && !is_faulty(suffixes::time_index)) {
    if (next_time_ < times_->size()) {
      fault(suffixes::time_index, next_time_, time_index::entry_bytes,
            times_->at(next_time_).offset, "it points past the last batch of the segment");
    } else if (complete && max_timestamp_ > 0 && times_->last().timestamp != max_timestamp_) {
      fault(suffixes::time_index,
            fmt::format("it ends with timestamp {}, the largest in the segment is {}",
                        times_->last().timestamp, max_timestamp_));
    }
  }
  if (aborted == nullptr || !transactions_) return;
  const auto& stored = transactions_->entries();
  const auto [wrong, expected] = std::ranges::mismatch(stored, *aborted);
  if (wrong == stored.end() && expected == aborted->end()) return;
  const auto number = static_cast<std::size_t>(wrong - stored.begin());
  fault(suffixes::transaction_index, number, transaction_index::entry_bytes,
        expected == aborted->end() ? wrong->last_offset : expected->last_offset,
        expected == aborted->end()
            ? "it names an aborted transaction that the batches do not have"
            : fmt::format("producer {} aborted a transaction of offsets {} to {}, which it does "
                          "not say",
                          expected->producer_id, expected->first_offset, expected->last_offset));
}

void index_check::fault(std::string_view suffix, std::size_t number, std::size_t entry_bytes,
                        offset_t offset, std::string text) {
  faults_.push_back({path(suffix), static_cast<std::int64_t>(number * entry_bytes), offset,
                     fmt::format("entry {} is wrong: {}", number, text)});
}

void index_check::fault(std::string_view suffix, std::string text) {
  faults_.push_back({path(suffix), std::nullopt, std::nullopt, std::move(text)});
}

bool index_check::is_faulty(std::string_view suffix) const {
  return std::ranges::any_of(faults_,
                             [&](const index_fault& one) { return one.path.ends_with(suffix); });
}

}  // namespace ringlog::storage
