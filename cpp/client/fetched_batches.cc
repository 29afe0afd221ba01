#include "client/fetched_batches.h"

#include <algorithm>
#include <set>

#include "codec/codec.h"

namespace ringlog::client {
namespace {

// Tells, batch by batch in offset order, which are of aborted transactions.
class aborted_filter {
 public:
  explicit aborted_filter(std::vector<broker::aborted_transaction> aborted)
      : coming_(std::move(aborted)) {
    std::sort(coming_.begin(), coming_.end(), [](const auto& left, const auto& right) {
      return left.first_offset < right.first_offset;
    });
  }

  result<bool> drops(const model::batch_view& batch) {
    while (next_ < coming_.size() && coming_[next_].first_offset <= batch.last_offset()) {
      aborting_.insert(coming_[next_++].producer);
    }
    if (batch.is_control()) {
      TRY_ASSIGN(const auto marker, model::parse_transaction_marker(batch));
      if (marker && marker->type == model::control_type::abort) {
        aborting_.erase(batch.producer_id());
      }
      return true;
    }
    return batch.is_transactional() && aborting_.contains(batch.producer_id());
  }

 private:
  std::vector<broker::aborted_transaction> coming_;
  std::size_t next_ = 0;
  std::set<producer_id_t> aborting_;
};

error at(const partition_reading& partition, offset_t offset, error failure) {
  return std::move(failure).with_context(
      fmt::format("{} at offset {}", partition.source.to_string(), offset));
}

}  // namespace

fetched_batch::fetched_batch(std::shared_ptr<partition_reading> from, shared_bytes owner,
                             const model::batch_view& whole, byte_buffer decompressed)
    : partition(std::move(from)),
      batch(whole),
      leader_epoch(whole.partition_leader_epoch()),
      timestamps(whole.timestamps()),
      owner_(std::move(owner)),
      decompressed_(std::move(decompressed)),
      records_(whole, whole.compression() == compression_type::none ? whole.records()
                                                                    : bytes_view(decompressed_)) {}

result<std::shared_ptr<fetched_batch>> fetched_batch::open(std::shared_ptr<partition_reading> from,
                                                           shared_bytes owner,
                                                           const model::batch_view& batch,
                                                           bool check_crc) {
  const auto level =
      check_crc ? model::validation_level::checksum : model::validation_level::header;
  if (status valid = model::validate(batch, level); !valid.ok()) {
    return at(*from, from->position, std::move(valid.failure()));
  }
  byte_buffer decompressed;
  if (batch.compression() != compression_type::none) {
    auto unpacked = codec::decompress(batch.compression(), batch.records());
    if (!unpacked.ok()) return at(*from, from->position, std::move(unpacked.failure()));
    decompressed = std::move(*unpacked);
  }
  return std::make_shared<fetched_batch>(std::move(from), std::move(owner), batch,
                                         std::move(decompressed));
}

status fetched_batches::add(std::shared_ptr<partition_reading> from,
                            broker::fetched_partition fetched) {
  aborted_filter aborted(std::move(fetched.aborted));
  offset_t position = from->position;
  for (shared_bytes& piece : fetched.batches) {
    bytes_view left = piece.bytes;
    while (!left.empty()) {
      auto parsed = model::parse_batch(left);
      if (!parsed.ok()) return at(*from, position, std::move(parsed.failure()));
      if (!*parsed) break;  // cut off by the answer's size; fetched again from the next position
      const model::batch_view batch = **parsed;
      left = left.subspan(batch.size_in_bytes());
      if (batch.next_offset() <= position) continue;
      bool dropped = batch.is_control();
      if (options_.isolation == isolation_level::read_committed) {
        TRY_ASSIGN(dropped, aborted.drops(batch));
      }
      waiting_.push_back(
          {from, piece, dropped ? std::nullopt : std::optional(batch), batch.next_offset()});
      position = batch.next_offset();
    }
  }
  return {};
}

bool fetched_batches::front_is_compressed() const {
  return !waiting_.empty() && waiting_.front().batch &&
         waiting_.front().batch->compression() != compression_type::none;
}

result<std::shared_ptr<fetched_batch>> fetched_batches::open_next() {
  while (!waiting_.empty()) {
    waiting_batch& front = waiting_.front();
    if (front.from->revoked || front.next_offset <= front.from->position || !front.batch) {
      front.from->position = std::max(front.from->position, front.next_offset);
      waiting_.pop_front();
      continue;
    }
    auto opened = fetched_batch::open(front.from, front.owner, *front.batch, options_.check_crcs);
    if (!opened.ok()) {
      drop(*std::shared_ptr(front.from));  // what follows it waits for a seek past the damage
      return opened;
    }
    waiting_.pop_front();
    return opened;
  }
  return std::shared_ptr<fetched_batch>();
}

void fetched_batches::drop(const partition_reading& partition) {
  std::erase_if(waiting_, [&](const waiting_batch& each) { return each.from.get() == &partition; });
}

bool fetched_batches::holds(const partition_reading& partition) const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const waiting_batch& each) { return each.from.get() == &partition; });
}

}  // namespace ringlog::client
