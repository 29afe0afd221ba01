#include "storage/producer_state.h"

#include <algorithm>

#include "base/check.h"
#include "model/record.h"
#include "storage/transaction_index.h"

namespace ringlog::storage {

void producer_entry::change_epoch(producer_epoch_t epoch) {
  if (producer_epoch == epoch) return;
  producer_epoch = epoch;
  batches_ = {};
  count_ = 0;
}

void producer_entry::add_batch(const producer_batch& batch) {
  if (count_ == batches_.size()) {
    std::move(batches_.begin() + 1, batches_.end(), batches_.begin());
    --count_;
  }
  batches_[count_++] = batch;
}

void producer_entry::recall(std::span<const producer_batch> batches) {
  if (!has_batches() || batches.size() <= count_ || batches.back() != last_batch()) return;
  const std::size_t count = std::min(batches.size(), batches_.size());
  std::ranges::copy(batches.last(count), batches_.begin());
  count_ = static_cast<std::uint8_t>(count);
}

const producer_batch& producer_entry::last_batch() const {
  CHECK(has_batches(), "no batch of this producer is remembered", producer_id);
  return batches_[count_ - 1u];
}

std::int32_t producer_entry::last_sequence() const {
  return has_batches() ? last_batch().last_sequence : no_sequence;
}

std::optional<producer_batch> producer_entry::find_batch(std::int32_t first_sequence,
                                                         std::int32_t last_sequence) const {
  for (std::size_t at = 0; at < count_; ++at) {
    const producer_batch& batch = batches_[at];
    if (batch.first_sequence() == first_sequence && batch.last_sequence == last_sequence) {
      return batch;
    }
  }
  return std::nullopt;
}

bool is_expired(const producer_entry& entry, std::int64_t now_ms, std::int64_t expiration_ms) {
  return entry.transaction_start == no_offset && now_ms - entry.last_timestamp >= expiration_ms;
}

namespace {

bool follows(std::int32_t last, std::int32_t next) {
  return next == std::int64_t{last} + 1 || (next == 0 && last == INT32_MAX);
}

// `known` is the producer's entry before this batch.
status check_sequence(const producer_entry& known, const model::batch_view& batch, offset_t base) {
  if (known.producer_epoch == no_producer_epoch) return {};  // new here: any start is good
  if (batch.producer_epoch() != known.producer_epoch) {
    if (batch.base_sequence() == 0) return {};
    return make_error(error_code::out_of_order_sequence,
                      "producer {} starts epoch {} (before: {}) with sequence {} at offset {}, "
                      "expected 0",
                      batch.producer_id(), batch.producer_epoch(), known.producer_epoch,
                      batch.base_sequence(), base);
  }
  if (follows(known.last_sequence(), batch.base_sequence())) return {};
  return make_error(error_code::out_of_order_sequence,
                    "producer {} sent sequence {} after {} (offset {})", batch.producer_id(),
                    batch.base_sequence(), known.last_sequence(), base);
}

status check_epoch(const producer_entry& known, const model::batch_view& batch, offset_t base) {
  if (batch.producer_epoch() >= known.producer_epoch) return {};
  return make_error(error_code::invalid_producer_epoch,
                    "epoch {} of producer {} at offset {} is older than the last seen, {}: another "
                    "producer took over",
                    batch.producer_epoch(), batch.producer_id(), base, known.producer_epoch);
}

}  // namespace

std::optional<producer_batch> producer_state::find_duplicate(
    const model::batch_header_view& batch) const {
  if (!batch.has_producer_id() || batch.is_control()) return std::nullopt;
  const auto found = producers_.find(batch.producer_id());
  if (found == producers_.end() || found->second.producer_epoch != batch.producer_epoch()) {
    return std::nullopt;
  }
  return found->second.find_batch(batch.base_sequence(), batch.last_sequence());
}

const producer_entry* producer_state::find(const producer_update& update, producer_id_t id) const {
  for (const producer_entry& entry : update.entries) {
    if (entry.producer_id == id) return &entry;
  }
  const auto found = producers_.find(id);
  return found == producers_.end() ? nullptr : &found->second;
}

status producer_state::prepare(producer_update& update, const model::batch_view& batch,
                               offset_t base, producer_check check) const {
  if (!batch.has_producer_id()) return {};
  const producer_entry* known = find(update, batch.producer_id());
  producer_entry entry = known != nullptr ? *known : producer_entry(batch.producer_id());
  if (check != producer_check::none) TRY(check_epoch(entry, batch, base));

  if (batch.is_control()) {
    if (batch.count() == 0) return {};  // emptied by compaction: the transaction is gone as well
    TRY_ASSIGN(const auto marker, model::parse_transaction_marker(batch));
    if (!marker) return {};
    if (check != producer_check::none && entry.coordinator_epoch > marker->coordinator_epoch) {
      return make_error(error_code::invalid_txn_state,
                        "marker of coordinator epoch {} for producer {} at offset {}: epoch {} "
                        "has been seen",
                        marker->coordinator_epoch, batch.producer_id(), base,
                        entry.coordinator_epoch);
    }
    if (entry.transaction_start != no_offset) {
      update.completed.push_back({entry.producer_id, entry.transaction_start, base,
                                  marker->type == model::control_type::abort});
    }
    entry.change_epoch(batch.producer_epoch());
    entry.coordinator_epoch = marker->coordinator_epoch;
    entry.transaction_start = no_offset;
    entry.last_timestamp = batch.max_timestamp();
  } else {
    if (check == producer_check::client) TRY(check_sequence(entry, batch, base));
    if (check != producer_check::none && entry.transaction_start != no_offset &&
        !batch.is_transactional()) {
      return make_error(error_code::invalid_txn_state,
                        "producer {} wrote outside of its open transaction at offset {}",
                        batch.producer_id(), base);
    }
    entry.change_epoch(batch.producer_epoch());
    entry.add_batch({batch.last_sequence(), base + batch.last_offset_delta(),
                     batch.last_offset_delta(), batch.max_timestamp()});
    entry.last_timestamp = batch.max_timestamp();
    if (batch.is_transactional() && entry.transaction_start == no_offset) {
      entry.transaction_start = base;
      update.started.emplace_back(base, entry.producer_id);
    }
  }
  for (producer_entry& staged : update.entries) {
    if (staged.producer_id != entry.producer_id) continue;
    staged = entry;
    return {};
  }
  update.entries.push_back(entry);
  return {};
}

void producer_state::commit(producer_update update, std::vector<aborted_range>& aborted) {
  for (producer_entry& entry : update.entries) {
    producers_.insert_or_assign(entry.producer_id, entry);
  }
  for (const auto& [offset, id] : update.started) ongoing_.emplace(offset, id);
  for (const completed_transaction& done : update.completed) {
    if (done.aborted) {
      aborted.push_back(
          {done.producer_id, done.first_offset, done.last_offset, last_stable_after(done)});
    }
    ongoing_.erase(done.first_offset);
    unreplicated_.emplace(done.first_offset, done.last_offset);
  }
}

offset_t producer_state::last_stable_after(const completed_transaction& done) const {
  for (const auto& [first, id] : ongoing_) {
    if (id != done.producer_id) return first;
  }
  return done.last_offset + 1;
}

std::optional<offset_t> producer_state::first_unstable_offset() const {
  std::optional<offset_t> first;
  if (!ongoing_.empty()) first = ongoing_.begin()->first;
  if (!unreplicated_.empty() && (!first || unreplicated_.begin()->first < *first)) {
    first = unreplicated_.begin()->first;
  }
  return first;
}

void producer_state::high_watermark_moved(offset_t high_watermark) {
  std::erase_if(unreplicated_, [&](const auto& ended) { return ended.second < high_watermark; });
}

void producer_state::log_start_moved(offset_t log_start) { high_watermark_moved(log_start); }

void producer_state::remove_expired(std::int64_t now_ms, std::int64_t expiration_ms) {
  boost::unordered::erase_if(producers_, [&](const auto& known) {
    return is_expired(known.second, now_ms, expiration_ms);
  });
}

void producer_state::load(const producer_entry& entry) {
  producers_.insert_or_assign(entry.producer_id, entry);
  if (entry.transaction_start != no_offset) {
    ongoing_.emplace(entry.transaction_start, entry.producer_id);
  }
}

bool producer_state::lacks_batches() const {
  return std::ranges::any_of(producers_, [](const auto& known) {
    const std::size_t count = known.second.batch_count();
    return count > 0 && count < limits::producer_batches_remembered;
  });
}

void producer_state::recall(producer_id_t id, producer_epoch_t epoch,
                            std::span<const producer_batch> batches) {
  const auto known = producers_.find(id);
  if (known == producers_.end() || known->second.producer_epoch != epoch) return;
  known->second.recall(batches);
}

std::vector<producer_entry> producer_state::sorted() const {
  std::vector<producer_entry> entries;
  entries.reserve(producers_.size());
  for (const auto& known : producers_) entries.push_back(known.second);
  std::sort(entries.begin(), entries.end(), [](const auto& left, const auto& right) {
    return left.producer_id < right.producer_id;
  });
  return entries;
}

std::vector<producer_description> producer_state::describe() const {
  std::vector<producer_description> described;
  for (const producer_entry& entry : sorted()) {
    described.push_back({entry.producer_id, entry.producer_epoch, entry.last_sequence(),
                         entry.last_timestamp, entry.coordinator_epoch, entry.transaction_start});
  }
  return described;
}

}  // namespace ringlog::storage
