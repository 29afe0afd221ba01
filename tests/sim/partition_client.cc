#include "partition_client.h"

#include <algorithm>

#include "model/batch_builder.h"

namespace ringlog::sim {
namespace {

constexpr std::size_t in_flight_max = 5;  // as many as a broker remembers of a producer

}  // namespace

std::string partition_client::broken(std::string_view what) const {
  return fmt::format("{}: {}", name_, what);
}

byte_buffer partition_client::encode(const sent_batch& batch) const {
  model::batch_builder builder;
  for (const std::string& value : batch.values) {
    builder.append(io::sim::simulated_clock::start_wall_ms, std::nullopt, as_bytes(value));
  }
  return std::move(builder).finish({.producer_id = producer_,
                                    .producer_epoch = producer_epoch_t(0),
                                    .base_sequence = batch.first_sequence});
}

bool partition_client::is_anything_open() const {
  return std::ranges::any_of(recent_, [](const auto& batch) { return !batch->acknowledged; });
}

void partition_client::send(std::uint64_t bytes) {
  const auto open = std::ranges::count_if(recent_, [](const auto& b) { return !b->acknowledged; });
  if (static_cast<std::size_t>(open) >= in_flight_max || cut_asked_) return;
  auto batch = std::make_shared<sent_batch>();
  batch->first_sequence = next_sequence_;
  const std::uint64_t count = 1 + random_.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    batch->values.push_back(
        fmt::format("{} {} {}", name_, next_value_++, std::string(random_.below(bytes), 'x')));
  }
  next_sequence_ += static_cast<std::int32_t>(count);
  recent_.push_back(batch);
  if (recent_.size() > in_flight_max) recent_.pop_front();
  put_down(batch);
  ++counts_.operations;
  if (transmit(batch, false) && ack_at_once_) acknowledge(batch);
}

void partition_client::put_down(const batch_ptr& batch) {
  batch->first_offset = std::ssize(values_);
  values_.insert(values_.end(), batch->values.begin(), batch->values.end());
  batch_ends_[batch->end()] = batch->first_sequence + static_cast<int>(batch->values.size());
}

// False when the log had no room for it.
bool partition_client::transmit(const batch_ptr& batch, bool expect_duplicate) {
  refused_ = false;
  transmitting_ = true;
  log_->append(encode(*batch), [this, batch, expect_duplicate](result<log_port::appended> answer) {
    take_answer(batch, expect_duplicate, answer);
  });
  transmitting_ = false;
  if (refused_ && !expect_duplicate) take_back(batch);
  return !refused_;
}

void partition_client::take_answer(const batch_ptr& batch, bool expect_duplicate,
                                   const result<log_port::appended>& answer) {
  if (violation_) return;
  if (!answer.ok()) {
    const bool disk_full = answer.code() == error_code::no_space;
    refused_ = transmitting_ && (disk_full || answer.code() == error_code::no_memory);
    if (refused_) ++(disk_full ? counts_.refused_full_disk : counts_.refused_full_journal);
    was_refused_ |= refused_;
    if (!refused_ && !excused_) {
      violation_ = broken("an append failed: " + answer.failure().message);
    }
  } else if (answer->base_offset != batch->first_offset) {
    violation_ = broken(fmt::format("a batch belongs at {} and is at {}", batch->first_offset,
                                    answer->base_offset));
  } else if (answer->duplicate != expect_duplicate) {
    violation_ = broken(expect_duplicate ? "a batch that is there was appended again"
                                         : "a batch that is not there was called a duplicate");
  } else {
    counts_.duplicates += answer->duplicate ? 1 : 0;
    counts_.appended_after_refusal += std::exchange(was_refused_, false) ? 1 : 0;
    acknowledge(batch);
  }
}

void partition_client::acknowledge(const batch_ptr& batch) {
  batch->acknowledged = true;
  acknowledged_ = std::max(acknowledged_, batch->end());
}

// The log has nothing of this batch nor of what was sent after it.
void partition_client::take_back(const batch_ptr& batch) {
  next_sequence_ = batch->first_sequence;
  forget_from(batch->first_offset);
  while (!recent_.empty() && recent_.back() != batch) recent_.pop_back();
  if (!recent_.empty()) recent_.pop_back();
}

void partition_client::forget_from(std::int64_t end) {
  values_.resize(static_cast<std::size_t>(end));
  batch_ends_.erase(batch_ends_.upper_bound(end), batch_ends_.end());
}

void partition_client::delete_some_records() {
  if (acknowledged_ <= log_start_asked_ || cut_asked_) return;
  const auto room = static_cast<std::uint64_t>(acknowledged_ - log_start_asked_);
  log_start_asked_ += static_cast<std::int64_t>(random_.below(room / 2 + 1));
  ++counts_.operations;
  log_->delete_records(log_start_asked_, [this](result<std::int64_t> moved) {
    if (moved.ok()) {
      log_start_ = std::max(log_start_, *moved);
      ++counts_.log_starts;
    } else if (!excused_) {
      violation_ = broken("deleting records failed: " + moved.failure().message);
    }
  });
}

void partition_client::cut_some_records() {
  if (is_anything_open() || cut_asked_ || log_start_ != log_start_asked_) return;
  const auto first = batch_ends_.lower_bound(log_start_);
  const auto choices = static_cast<std::uint64_t>(std::distance(first, batch_ends_.end()));
  if (choices < 2) return;
  const auto back = static_cast<std::ptrdiff_t>(random_.below(std::min<std::uint64_t>(choices, 9)));
  const std::int64_t end = std::prev(batch_ends_.end(), 1 + back)->first;
  cut_asked_ = end;
  ++counts_.operations;
  log_->truncate_to(end, [this, end](const status& cut) {
    if (!cut.ok()) {
      const bool was_closing = cut.code() == error_code::closed;
      if (!excused_ && !was_closing) violation_ = broken("a cut failed: " + cut.failure().message);
      return;
    }
    cut_asked_.reset();
    ++counts_.cuts;
    acknowledged_ = end;
    forget_from(end);
    next_sequence_ = batch_ends_.at(end);
    std::erase_if(recent_, [end](const batch_ptr& batch) { return batch->end() > end; });
  });
}

violation partition_client::observe_high_watermark() {
  const auto seen = log_->ask_high_watermark();
  if (!seen.ok() || cut_asked_) return std::nullopt;  // asked again after the next boot
  if (*seen > std::ssize(values_)) return broken("shows more than was sent");
  acknowledged_ = std::max(acknowledged_, *seen);
  return std::nullopt;
}

violation partition_client::check_readable() {
  const auto bounds = log_->ask_bounds();
  const auto seen = log_->ask_high_watermark();
  if (!bounds.ok() || !seen.ok()) return broken("cannot be asked");
  std::vector<std::string> found;
  const std::int64_t end = std::min(*seen, cut_asked_.value_or(*seen));  // half cut is cut
  const status read = read_records(*log_, {bounds->start, end}, random_, found);
  if (!read.ok()) return broken("cannot be read: " + read.failure().message);
  if (*seen > std::ssize(values_) ||
      !std::equal(found.begin(), found.end(), values_.begin() + bounds->start)) {
    return broken("shows other records than were sent");
  }
  return std::nullopt;
}

violation partition_client::attach(std::unique_ptr<log_port> log) {
  log_ = std::move(log);
  violation_.reset();
  excused_ = false;
  if (violation found = check_recovered()) return found;
  resend();
  return std::nullopt;
}

violation partition_client::check_recovered() {
  const auto bounds = log_->ask_bounds();
  if (!bounds.ok()) return broken("cannot be asked: " + bounds.failure().message);
  if (bounds->start < log_start_ || bounds->start > log_start_asked_) {
    return broken(fmt::format("starts at {}, between {} and {} were asked for", bounds->start,
                              log_start_, log_start_asked_));
  }
  const std::int64_t promised = std::min(acknowledged_, cut_asked_.value_or(acknowledged_));
  if (bounds->end < promised) {
    return broken(
        fmt::format("ends at {}, but {} records were acknowledged", bounds->end, promised));
  }
  if (bounds->end > std::ssize(values_)) return broken("holds more than was sent");
  std::vector<std::string> found;
  const status read = read_records(*log_, *bounds, random_, found);
  if (!read.ok()) return broken("cannot be read: " + read.failure().message);
  if (!std::equal(found.begin(), found.end(), values_.begin() + bounds->start)) {
    return broken("holds other records than were sent, or in another order");
  }
  // Whoever reads now sees all of it, so from here on it must stay.
  forget_from(bounds->end);
  acknowledged_ = bounds->end;
  log_start_ = log_start_asked_ = bounds->start;
  if (cut_asked_) {  // what the cut took is not sent again
    const bool was_cut = bounds->end <= *cut_asked_;
    if (was_cut) std::erase_if(recent_, [&](const auto& b) { return b->end() > bounds->end; });
    if (was_cut) next_sequence_ = batch_ends_.at(bounds->end);
    cut_asked_.reset();
  }
  return std::nullopt;
}

void partition_client::resend() {
  const std::int64_t end = std::ssize(values_);
  const auto again = recent_;
  for (const batch_ptr& batch : again) {
    const bool is_there = batch->end() <= end;
    batch->acknowledged = is_there;
    if (batch->end() <= log_start_) continue;  // deleted since: its answer has come
    if (!is_there) put_down(batch);
    // After one that is refused the others would be out of order; they are taken back with it.
    if (!transmit(batch, is_there) && !is_there) return;
  }
}

}  // namespace ringlog::sim
