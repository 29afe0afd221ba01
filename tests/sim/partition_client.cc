#include "partition_client.h"

#include <algorithm>

#include "model/batch_builder.h"
#include "model/record.h"

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

void partition_client::send() {
  const auto open = std::ranges::count_if(recent_, [](const auto& b) { return !b->acknowledged; });
  if (static_cast<std::size_t>(open) >= in_flight_max) return;
  auto batch = std::make_shared<sent_batch>();
  batch->first_sequence = next_sequence_;
  const std::uint64_t count = 1 + random_.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    batch->values.push_back(
        fmt::format("{} {} {}", name_, next_value_++, std::string(random_.below(700), 'x')));
  }
  next_sequence_ += static_cast<std::int32_t>(count);
  recent_.push_back(batch);
  if (recent_.size() > in_flight_max) recent_.pop_front();
  batch->first_offset = std::ssize(values_);
  values_.insert(values_.end(), batch->values.begin(), batch->values.end());
  transmit(batch, false);
  if (ack_at_once_) acknowledge(batch);
}

void partition_client::transmit(const batch_ptr& batch, bool expect_duplicate) {
  log_->append(encode(*batch), [this, batch, expect_duplicate](result<log_port::appended> answer) {
    take_answer(batch, expect_duplicate, answer);
  });
}

void partition_client::take_answer(const batch_ptr& batch, bool expect_duplicate,
                                   const result<log_port::appended>& answer) {
  if (violation_) return;
  if (!answer.ok()) {
    violation_ = broken("an append failed: " + answer.failure().message);
  } else if (answer->base_offset != batch->first_offset) {
    violation_ = broken(fmt::format("a batch belongs at {} and is at {}", batch->first_offset,
                                    answer->base_offset));
  } else if (answer->duplicate != expect_duplicate) {
    violation_ = broken(expect_duplicate ? "a batch that is there was appended again"
                                         : "a batch that is not there was called a duplicate");
  } else {
    duplicates_ += answer->duplicate ? 1 : 0;
    acknowledge(batch);
  }
}

void partition_client::acknowledge(const batch_ptr& batch) {
  batch->acknowledged = true;
  acknowledged_ = std::max(acknowledged_, batch->first_offset + std::ssize(batch->values));
}

void partition_client::delete_some_records() {
  if (acknowledged_ <= log_start_asked_) return;
  const auto room = static_cast<std::uint64_t>(acknowledged_ - log_start_asked_);
  log_start_asked_ += static_cast<std::int64_t>(random_.below(room / 2 + 1));
  log_->delete_records(log_start_asked_, [this](result<std::int64_t> moved) {
    if (moved.ok()) {
      log_start_ = std::max(log_start_, *moved);
    } else {
      violation_ = broken("deleting records failed: " + moved.failure().message);
    }
  });
}

violation partition_client::attach(std::unique_ptr<log_port> log) {
  log_ = std::move(log);
  violation_.reset();
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
  if (bounds->end < acknowledged_) {
    return broken(
        fmt::format("ends at {}, but {} records were acknowledged", bounds->end, acknowledged_));
  }
  if (bounds->end > std::ssize(values_)) return broken("holds more than was sent");
  std::vector<std::string> found;
  const status read = read_all(*bounds, found);
  if (!read.ok()) return broken("cannot be read: " + read.failure().message);
  if (!std::equal(found.begin(), found.end(), values_.begin() + bounds->start)) {
    return broken("holds other records than were sent, or in another order");
  }
  // Whoever reads now sees all of it, so from here on it must stay.
  values_.resize(static_cast<std::size_t>(bounds->end));
  acknowledged_ = bounds->end;
  return std::nullopt;
}

status partition_client::read_all(const log_port::bounds& bounds,
                                  std::vector<std::string>& values) {
  std::int64_t next = bounds.start;
  while (next < bounds.end) {
    const std::int64_t before = next;
    TRY_ASSIGN(const auto pieces,
               log_->read(next, 1 + static_cast<std::int64_t>(random_.below(5000))));
    for (const shared_bytes& piece : pieces) {
      for (bytes_view left = piece.bytes; !left.empty();) {
        TRY_ASSIGN(const auto batch, model::parse_batch(left));
        if (!batch) return make_error(error_code::corrupt, "half a batch at {}", next);
        TRY(model::validate(*batch, model::validation_level::checksum));
        model::record_iterator records(*batch, batch->records());
        for (model::record_view record; records.next(record);) {
          if (record.offset.value() < next) continue;
          if (record.offset.value() > next) return make_error(error_code::corrupt, "a gap");
          values.push_back(to_string(*record.value));
          ++next;
        }
        TRY(records.outcome());
        left = left.subspan(batch->size_in_bytes());
      }
    }
    if (next == before) return make_error(error_code::corrupt, "nothing at {}", next);
  }
  return {};
}

void partition_client::resend() {
  const std::int64_t end = std::ssize(values_);
  for (const batch_ptr& batch : recent_) {
    const bool is_there = batch->first_offset + std::ssize(batch->values) <= end;
    batch->acknowledged = false;
    if (!is_there) {
      batch->first_offset = std::ssize(values_);
      values_.insert(values_.end(), batch->values.begin(), batch->values.end());
    }
    transmit(batch, is_there);
  }
}

}  // namespace ringlog::sim
